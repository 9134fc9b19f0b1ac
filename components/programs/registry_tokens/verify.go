package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	audience = "registry"
	// leeway between the clocks of the cluster and of this machine.
	leeway = 30 * time.Second
	// longest life of a token: nobody is asked whether its ServiceAccount is still there, so it ends soon by itself.
	longest = time.Hour
)

// algorithms are those that kubeadm makes keys for. What a token names beside them, `none` too, is not looked at.
var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.RS256}

// errRefused is a token that opens nothing; its text says why and holds nothing of the token but its public claims.
type errRefused string

func (e errRefused) Error() string { return string(e) }

// claims that a token of a ServiceAccount has beside those of every JWT.
// Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
type claims struct {
	Kubernetes struct {
		Namespace string `json:"namespace"`
	} `json:"kubernetes.io"`
}

// keyFinder is where the cluster's public keys come from.
type keyFinder interface {
	find(id string) (jose.JSONWebKey, error)
}

// verifier tells who shows a token of a ServiceAccount.
type verifier struct {
	keys   keyFinder
	issuer string
	now    func() time.Time
}

// verify returns the caller, an errRefused where the token is no good, or another error where that cannot be known.
func (v verifier) verify(token string) (caller, error) {
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		return caller{}, errRefused("the password is no token of a ServiceAccount")
	}
	key, err := v.keys.find(parsed.Headers[0].KeyID)
	if err != nil {
		return caller{}, err
	}
	var standard jwt.Claims
	var own claims
	if err := parsed.Claims(key, &standard, &own); errors.Is(err, jose.ErrCryptoFailure) {
		return caller{}, errRefused("no key of the cluster signed this token")
	} else if err != nil {
		return caller{}, errRefused("the claims of the token cannot be read")
	}
	if err := v.judge(standard); err != nil {
		return caller{}, err
	}
	namespace, account, isAccount := serviceAccount(standard.Subject)
	if !isAccount || namespace != own.Kubernetes.Namespace {
		return caller{}, errRefused(fmt.Sprintf("subject %q: allowed are ServiceAccounts", standard.Subject))
	}
	return ofNamespace(namespace, account), nil
}

// judge holds what every JWT says to what is wanted of this one.
func (v verifier) judge(said jwt.Claims) error {
	wanted := jwt.Expected{Issuer: v.issuer, AnyAudience: jwt.Audience{audience}, Time: v.now()}
	err := said.ValidateWithLeeway(wanted, leeway)
	switch {
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return errRefused(fmt.Sprintf("issuer %q: allowed is %s", said.Issuer, v.issuer))
	case errors.Is(err, jwt.ErrInvalidAudience):
		return errRefused(fmt.Sprintf("audience %q: allowed is %s", said.Audience, audience))
	case errors.Is(err, jwt.ErrExpired) || said.Expiry == nil:
		return errRefused("the token has expired")
	case errors.Is(err, jwt.ErrNotValidYet) || errors.Is(err, jwt.ErrIssuedInTheFuture):
		return errRefused("the token is not valid yet: compare the clocks")
	case err != nil:
		return errRefused(err.Error())
	case said.IssuedAt == nil || said.Expiry.Time().Sub(said.IssuedAt.Time()) > longest:
		return errRefused("the token lives too long: allowed is expirationSeconds: 3600")
	}
	return nil
}

func serviceAccount(subject string) (namespace, account string, found bool) {
	rest, found := strings.CutPrefix(subject, "system:serviceaccount:")
	namespace, account, colon := strings.Cut(rest, ":")
	return namespace, account, found && colon && namespace != "" && account != ""
}
