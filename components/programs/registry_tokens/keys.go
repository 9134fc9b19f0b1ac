package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// fresh: so long the keys are not asked for again. A key that the cluster gave up opens nothing after that.
	fresh = 5 * time.Minute
	// kept: so long an API server that does not answer stops no pulls.
	kept = longest
	// pause between questions that tokens with unknown keys cause, so that nobody makes us ask without end.
	pause        = 5 * time.Second
	fetchTimeout = 5 * time.Second
	bodyLimit    = 1 << 20
)

// clusterKeys are the public keys of the cluster's ServiceAccounts, asked for when a token needs them: this program
// runs before there is a cluster, and after it was made again with other keys.
type clusterKeys struct {
	url    string
	client *http.Client
	now    func() time.Time

	lock  sync.Mutex
	keys  jose.JSONWebKeySet
	read  time.Time
	asked time.Time
}

// clientOf trusts the authority in `ca` alone, or those of the machine where none is named.
func clientOf(ca string) (*http.Client, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", ca)
		}
	}
	return &http.Client{Timeout: fetchTimeout, Transport: &http.Transport{TLSClientConfig: settings}}, nil
}

// find returns the key of this name, errRefused where the cluster has none, another error where it cannot be asked.
func (c *clusterKeys) find(id string) (jose.JSONWebKey, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	now := c.now()
	named := c.keys.Key(id)
	if (len(named) == 0 || now.Sub(c.read) > fresh) && now.Sub(c.asked) > pause {
		c.asked = now
		if keys, err := c.fetch(); err != nil {
			log.Printf("the cluster's keys cannot be read: %v", err)
		} else {
			c.keys, c.read = keys, now
		}
		named = c.keys.Key(id)
	}
	switch {
	case len(c.keys.Keys) == 0 || now.Sub(c.read) > kept:
		return jose.JSONWebKey{}, fmt.Errorf("the cluster's keys cannot be read from %s: is there a cluster?", c.url)
	case len(named) == 0:
		return jose.JSONWebKey{}, errRefused("no key of the cluster has signed this token")
	default:
		return named[0], nil
	}
}

func (c *clusterKeys) fetch() (jose.JSONWebKeySet, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return jose.JSONWebKeySet{}, fmt.Errorf("%s answers %s", c.url, answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, bodyLimit))
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	return parseKeys(text)
}

// parseKeys reads a JWKS. A key that is not public or not whole is left out: what it signed is refused.
func parseKeys(text []byte) (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil {
		return set, fmt.Errorf("this is no JWKS: %w", err)
	}
	set.Keys = slices.DeleteFunc(set.Keys, func(key jose.JSONWebKey) bool { return !key.IsPublic() || !key.Valid() })
	if len(set.Keys) == 0 {
		return set, fmt.Errorf("the JWKS holds no public key")
	}
	return set, nil
}
