//go:build tools

// Package tools names the program that go.mod is tidied for.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
