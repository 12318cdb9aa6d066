//go:build tools

// Package tools names the program that go.mod is tidied for.
package tools

import _ "github.com/rancher/local-path-provisioner"
