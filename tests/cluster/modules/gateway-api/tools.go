//go:build tools

// Package tools names the module whose manifests are installed.
package tools

import _ "sigs.k8s.io/gateway-api/apis/v1"
