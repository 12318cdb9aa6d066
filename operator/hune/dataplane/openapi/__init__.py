"""What a guard serves, as an OpenAPI document and as a page for people; pure."""
