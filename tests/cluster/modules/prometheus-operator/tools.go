//go:build tools

// Package tools names the module whose kinds are installed.
package tools

import _ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
