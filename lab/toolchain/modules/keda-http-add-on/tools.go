//go:build tools

// Package tools names the programs that this module pins.
package tools

import (
	_ "github.com/kedacore/http-add-on/operator"
	_ "github.com/kedacore/http-add-on/interceptor"
	_ "github.com/kedacore/http-add-on/scaler"
)
