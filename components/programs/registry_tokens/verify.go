package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

const (
	audience = "registry"
	// leeway between the clocks of the cluster and of this machine.
	leeway = 30 * time.Second
	// longest life of a token: nobody is asked whether its ServiceAccount is still there, so it ends soon by itself.
	longest = time.Hour
)

// errRefused is a token that opens nothing; its text says why and holds nothing of the token but its public claims.
type errRefused string

func (e errRefused) Error() string { return string(e) }

// claims of a token of a ServiceAccount, those that are judged.
// Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
type claims struct {
	Issuer     string    `json:"iss"`
	Audience   audiences `json:"aud"`
	Subject    string    `json:"sub"`
	Expires    int64     `json:"exp"`
	NotBefore  int64     `json:"nbf"`
	Issued     int64     `json:"iat"`
	Kubernetes struct {
		Namespace string `json:"namespace"`
	} `json:"kubernetes.io"`
}

// audiences is what JWT allows for an audience: one string, or a list of them.
type audiences []string

func (s *audiences) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*s = audiences{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(s))
}

// keyFinder is where the cluster's public keys come from.
type keyFinder interface {
	find(id string) (crypto.PublicKey, error)
}

// verifier tells who shows a token of a ServiceAccount.
type verifier struct {
	keys   keyFinder
	issuer string
	now    func() time.Time
}

// verify returns the caller, an errRefused where the token is no good, or another error where that cannot be known.
func (v verifier) verify(token string) (caller, error) {
	said, err := v.signed(token)
	if err != nil {
		return caller{}, err
	}
	now := v.now()
	namespace, account, isAccount := serviceAccount(said.Subject)
	switch {
	case said.Issuer != v.issuer:
		return caller{}, errRefused(fmt.Sprintf("issuer %q: allowed is %s", said.Issuer, v.issuer))
	case !slices.Contains(said.Audience, audience):
		return caller{}, errRefused(fmt.Sprintf("audience %q: allowed is %s", said.Audience, audience))
	case said.Expires == 0 || now.After(time.Unix(said.Expires, 0).Add(leeway)):
		return caller{}, errRefused("the token has expired")
	case time.Unix(said.Expires, 0).Sub(time.Unix(said.Issued, 0)) > longest:
		return caller{}, errRefused("the token lives too long: allowed is expirationSeconds: 3600")
	case now.Before(time.Unix(said.NotBefore, 0).Add(-leeway)):
		return caller{}, errRefused("the token is not valid yet: compare the clocks")
	case !isAccount || namespace != said.Kubernetes.Namespace:
		return caller{}, errRefused(fmt.Sprintf("subject %q: allowed are ServiceAccounts", said.Subject))
	}
	return ofNamespace(namespace, account), nil
}

func serviceAccount(subject string) (namespace, account string, found bool) {
	rest, found := strings.CutPrefix(subject, "system:serviceaccount:")
	namespace, account, colon := strings.Cut(rest, ":")
	return namespace, account, found && colon && namespace != "" && account != ""
}

// signed returns the claims, if one of the cluster's keys signed them. The key decides the algorithm, not the token.
func (v verifier) signed(token string) (claims, error) {
	var said claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return said, errRefused("the password is no token of a ServiceAccount")
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if errors.Join(err, decode(parts[0], &header), decode(parts[1], &said)) != nil {
		return said, errRefused("the password is no token of a ServiceAccount")
	}
	key, err := v.keys.find(header.KeyID)
	if err != nil {
		return said, err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !isSignature(key, header.Algorithm, digest[:], signature) {
		return said, errRefused("no key of the cluster signed this token")
	}
	return said, nil
}

func decode(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// isSignature knows what kubeadm makes keys for: ES256 (ECDSA-P256) and RS256.
func isSignature(key crypto.PublicKey, algorithm string, digest, signature []byte) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		if algorithm != "ES256" || len(signature) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(key, digest, r, s)
	case *rsa.PublicKey:
		return algorithm == "RS256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, signature) == nil
	default:
		return false
	}
}
