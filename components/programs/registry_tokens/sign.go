package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// lifetime of a token of the registry. The registry itself lets it pass for a minute more.
const lifetime = 5 * time.Minute

// signer makes the tokens that the registry trusts.
type signer struct {
	key     jose.JSONWebKey
	issuer  string
	service string
	now     func() time.Time
}

// loadKey reads the signing key, or makes it where there is none yet.
func loadKey(path string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	} else if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(text); block != nil {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if known, is := key.(*ecdsa.PrivateKey); is && known.Curve == elliptic.P256() {
				return known, nil
			}
		}
	}
	return nil, fmt.Errorf("%s is no key of ECDSA on P-256 in PKCS #8: remove it, and one is made", path)
}

func makeKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writeWhole(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes}), 0o600)
}

// writeWhole replaces a file so that nobody reads half of it.
func writeWhole(path string, text []byte, mode os.FileMode) error {
	draft, err := os.CreateTemp(filepath.Dir(path), ".draft-")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(text)
	if err = errors.Join(err, draft.Chmod(mode), draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return os.Rename(draft.Name(), path)
}

func newSigner(key *ecdsa.PrivateKey, issuer, service string) (signer, error) {
	named := jose.JSONWebKey{Key: key, Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := named.Thumbprint(crypto.SHA256)
	if err != nil {
		return signer{}, err
	}
	named.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return signer{key: named, issuer: issuer, service: service, now: time.Now}, nil
}

// published is the JWKS by which the registry verifies tokens.
func (s signer) published() ([]byte, error) {
	return json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.key.Public()}})
}

// sign makes a token for the registry.
// Source: https://distribution.github.io/distribution/spec/auth/jwt/
func (s signer) sign(subject string, granted []access) (string, error) {
	signs, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: s.key}, new(jose.SignerOptions).WithType("JWT"))
	if err != nil {
		return "", err
	}
	now := s.now()
	standard := jwt.Claims{
		Issuer: s.issuer, Subject: subject, Audience: jwt.Audience{s.service}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(lifetime)),
	}
	return jwt.Signed(signs).Claims(standard).Claims(map[string]any{"access": granted}).Serialize()
}
