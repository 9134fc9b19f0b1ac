package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
)

const (
	providerAPI = "credentialprovider.kubelet.k8s.io/v1"
	// username of whoever shows a token of a ServiceAccount: no operator is called so, and nobody asks further.
	username = "serviceaccount"
)

// runProvide answers the kubelet, which asks before it pulls an image of a tenant. The token in its question is the
// pod's own, and becomes the password.
// Source: https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/
func runProvide(_ context.Context, arguments []string, input io.Reader, output io.Writer) error {
	if err := parse(flag.NewFlagSet("provide", flag.ContinueOnError), arguments, output); err != nil {
		return err
	}
	var asked struct {
		API   string `json:"apiVersion"`
		Kind  string `json:"kind"`
		Image string `json:"image"`
		Token string `json:"serviceAccountToken"`
	}
	if err := json.NewDecoder(input).Decode(&asked); err != nil {
		return errors.New("the question is no JSON") // its text would show the token
	}
	switch {
	case asked.API != providerAPI || asked.Kind != "CredentialProviderRequest":
		return fmt.Errorf("question %s of %s: allowed is CredentialProviderRequest of %s", asked.Kind, asked.API, providerAPI)
	case asked.Image == "" || asked.Token == "":
		return errors.New("the question names no image or no token: see tokenAttributes in the kubelet's configuration")
	}
	return json.NewEncoder(output).Encode(map[string]any{
		"apiVersion":   providerAPI,
		"kind":         "CredentialProviderResponse",
		"cacheKeyType": "Image",
		// The kubelet keeps the token itself, and renews it; a copy of ours would outlive it.
		"cacheDuration": "0s",
		"auth":          map[string]any{asked.Image: map[string]string{"username": username, "password": asked.Token}},
	})
}
