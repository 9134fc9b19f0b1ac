// Command pulumi-resource-kubernetes is the Kubernetes provider of Pulumi.
//
// The module's own main embeds files that its release process generates and that the module lacks;
// this one embeds the schema, which the module does carry. The builder lays that file over
// schema.json (see `embed` in programs.yaml), so that no copy of it stands in this tree.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

// version is what the provider reports to the engine; set by the linker.
var version = "0.0.0"

func main() {
	provider.Serve("kubernetes", version, schema, []byte("{}"))
}
