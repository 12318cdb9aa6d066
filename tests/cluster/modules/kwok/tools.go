//go:build tools

// Package tools names the program that go.mod is tidied for.
package tools

import _ "sigs.k8s.io/kwok/cmd/kwok"
