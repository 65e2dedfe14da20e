"""What every gRPC server and client of ours shares."""
