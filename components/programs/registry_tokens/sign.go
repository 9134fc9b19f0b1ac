package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
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
)

// lifetime of a token of the registry. The registry itself lets it pass for a minute more.
const lifetime = 5 * time.Minute

// signer makes the tokens that the registry trusts.
type signer struct {
	key     *ecdsa.PrivateKey
	id      string
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
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return signer{}, err
	}
	name := sha256.Sum256(point)
	id := base64.RawURLEncoding.EncodeToString(name[:])
	return signer{key: key, id: id, issuer: issuer, service: service, now: time.Now}, nil
}

// published is the JWKS by which the registry verifies tokens.
func (s signer) published() ([]byte, error) {
	point, err := s.key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	one := jwk{Kind: "EC", ID: s.id, Use: "sig", Alg: "ES256", Curve: "P-256", X: encode(point[1:33]), Y: encode(point[33:])}
	return json.Marshal(jwks{Keys: []jwk{one}})
}

// sign makes a token for the registry.
// Source: https://distribution.github.io/distribution/spec/auth/jwt/
func (s signer) sign(subject string, granted []access) (string, error) {
	now := s.now()
	head, err := json.Marshal(map[string]any{"typ": "JWT", "alg": "ES256", "kid": s.id})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]any{
		"iss": s.issuer, "sub": subject, "aud": s.service, "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(lifetime).Unix(),
		"access": granted,
	})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode(head) + "." + encode(body)
	digest := sha256.Sum256([]byte(text))
	r, t, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		return "", err
	}
	signature := append(r.FillBytes(make([]byte, 32)), t.FillBytes(make([]byte, 32))...)
	return text + "." + encode(signature), nil
}
