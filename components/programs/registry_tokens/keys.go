package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"os"
	"sync"
	"time"
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
	keys  map[string]crypto.PublicKey
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
func (c *clusterKeys) find(id string) (crypto.PublicKey, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	now := c.now()
	key, known := c.keys[id]
	if (!known || now.Sub(c.read) > fresh) && now.Sub(c.asked) > pause {
		c.asked = now
		if keys, err := c.fetch(); err != nil {
			log.Printf("the cluster's keys cannot be read: %v", err)
		} else {
			c.keys, c.read = keys, now
		}
		key, known = c.keys[id]
	}
	switch {
	case c.keys == nil || now.Sub(c.read) > kept:
		return nil, fmt.Errorf("the cluster's keys cannot be read from %s: is there a cluster?", c.url)
	case !known:
		return nil, errRefused("no key of the cluster has signed this token")
	default:
		return key, nil
	}
}

func (c *clusterKeys) fetch() (map[string]crypto.PublicKey, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", c.url, answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, bodyLimit))
	if err != nil {
		return nil, err
	}
	return parseKeys(text)
}

// jwk is a key as RFC 7517 and 7518 write it, of the two kinds that are used here.
type jwk struct {
	Kind  string `json:"kty"`
	ID    string `json:"kid"`
	Use   string `json:"use,omitempty"`
	Alg   string `json:"alg,omitempty"`
	Curve string `json:"crv,omitempty"`
	X     string `json:"x,omitempty"`
	Y     string `json:"y,omitempty"`
	N     string `json:"n,omitempty"`
	E     string `json:"e,omitempty"`
}

type jwks struct {
	Keys []jwk `json:"keys"`
}

// parseKeys reads a JWKS. Keys of other kinds are left out: what they signed is refused.
func parseKeys(text []byte) (map[string]crypto.PublicKey, error) {
	var set jwks
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("this is no JWKS: %w", err)
	}
	found := map[string]crypto.PublicKey{}
	for _, one := range set.Keys {
		if key := one.public(); key != nil {
			found[one.ID] = key
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("among %d keys none is of RSA or of ECDSA on P-256", len(set.Keys))
	}
	return found, nil
}

func (k jwk) public() crypto.PublicKey {
	switch {
	case k.Kind == "EC" && k.Curve == "P-256":
		x, y := number(k.X), number(k.Y)
		if x.BitLen() > 256 || y.BitLen() > 256 {
			return nil
		}
		// 4: both coordinates follow, each of 32 bytes.
		point := append([]byte{4}, x.FillBytes(make([]byte, 32))...)
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(point, y.FillBytes(make([]byte, 32))...))
		if err != nil {
			return nil
		}
		return key
	case k.Kind == "RSA":
		n, e := number(k.N), number(k.E)
		if n.BitLen() < 2048 || e.BitLen() > 31 || e.Int64() < 3 {
			return nil
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}
	default:
		return nil
	}
}

func number(text string) *big.Int {
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return new(big.Int)
	}
	return new(big.Int).SetBytes(bytes)
}
