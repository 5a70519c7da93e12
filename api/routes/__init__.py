"""The endpoints, their parameters and their OpenAPI description."""
