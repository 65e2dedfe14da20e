"""What a service tells Kubernetes of the pod that it runs in."""
