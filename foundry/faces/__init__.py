"""What nets that tell people apart learn from and are asked: families whose members only the face tells apart."""
