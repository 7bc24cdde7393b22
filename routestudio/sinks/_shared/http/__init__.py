"""HTTP/1.1 connections, and the APIs of services over them."""
