package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

const headerTimeout = 10 * time.Second

// operator is the one who may do everything, by a key from the secret store.
type operator struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func readOperator(path string) (operator, error) {
	var found operator
	text, err := os.ReadFile(path)
	if err != nil {
		return found, err
	}
	if json.Unmarshal(text, &found) != nil || found.Username == "" || found.Password == "" {
		return found, fmt.Errorf("%s: allowed is JSON with `username` and `password`", path)
	}
	return found, nil
}

// is compares in a time that tells nothing of the password.
func (o operator) is(password string) bool {
	own, shown := sha256.Sum256([]byte(o.Password)), sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(own[:], shown[:]) == 1
}

// issuer answers those who ask for a token of the registry.
type issuer struct {
	operator operator
	verifier verifier
	signer   signer
}

func (i issuer) handler() http.Handler {
	mux := http.NewServeMux()
	// A POST is answered 405, on which clients that try OAuth first turn to this one.
	mux.HandleFunc("GET /token", i.token)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	return mux
}

// token answers as https://distribution.github.io/distribution/spec/auth/token/ says.
func (i issuer) token(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	asked, err := parseScopes(query["scope"])
	if service := query.Get("service"); err == nil && service != i.signer.service {
		err = fmt.Errorf("service %q: allowed is %s", service, i.signer.service)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	who, err := i.caller(r)
	var refused errRefused
	if errors.As(err, &refused) {
		log.Printf("%s: %v", r.RemoteAddr, refused)
		w.Header().Set("WWW-Authenticate", `Basic realm="registry-tokens"`)
		http.Error(w, refused.Error(), http.StatusUnauthorized)
		return
	} else if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	text, err := i.signer.sign(who.name, who.granted(asked))
	if err != nil {
		log.Printf("no token was made: %v", err)
		http.Error(w, "no token was made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// Both names: older clients read the one, newer the other.
	told := map[string]any{"token": text, "access_token": text, "expires_in": int(lifetime.Seconds())}
	if err := json.NewEncoder(w).Encode(told); err != nil {
		log.Printf("%s: %v", r.RemoteAddr, err)
	}
}

func (i issuer) caller(r *http.Request) (caller, error) {
	username, password, shown := r.BasicAuth()
	switch {
	case !shown && r.Header.Get("Authorization") == "":
		return caller{}, nil
	case !shown:
		return caller{}, errRefused("allowed are Basic credentials, or none")
	case username == i.operator.Username:
		if !i.operator.is(password) {
			return caller{}, errRefused("this is not the operator's key")
		}
		return caller{name: username, operator: true}, nil
	default:
		return i.verifier.verify(password)
	}
}

// settings are the flags of `serve`.
type settings struct {
	listen, certificate, certificateKey  string
	key, jwks, operator, service, issuer string
	clusterKeys, clusterIssuer, ca       string
}

func (s *settings) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&s.listen, "listen", "", "ADDRESS:PORT to answer at")
	flags.StringVar(&s.certificate, "certificate", "", "file with the certificate that is shown to callers")
	flags.StringVar(&s.certificateKey, "certificate-key", "", "file with the certificate's key")
	flags.StringVar(&s.key, "key", "", "file with the key that signs tokens; made if it is not there")
	flags.StringVar(&s.jwks, "jwks", "", "file for the public key, written at the start: auth.token.jwks of the registry")
	flags.StringVar(&s.operator, "operator", "", "JSON file with the operator's `username` and `password`")
	flags.StringVar(&s.service, "service", "registry", "name of the registry: auth.token.service")
	flags.StringVar(&s.issuer, "issuer", "registry-tokens", "name of this issuer: auth.token.issuer")
	flags.StringVar(&s.clusterKeys, "cluster-keys", "", "URL of the cluster's JWKS: https://API:6443/openid/v1/jwks")
	flags.StringVar(&s.clusterIssuer, "cluster-issuer", "https://kubernetes.default.svc.cluster.local",
		"issuer that tokens of ServiceAccounts name")
	flags.StringVar(&s.ca, "ca", "", "file with the authority of the cluster's API; else those of this machine")
	return flags
}

func (s *settings) open() (issuer, error) {
	known, err := readOperator(s.operator)
	if err != nil {
		return issuer{}, err
	}
	client, err := clientOf(s.ca)
	if err != nil {
		return issuer{}, err
	}
	key, err := loadKey(s.key)
	if err != nil {
		return issuer{}, err
	}
	signs, err := newSigner(key, s.issuer, s.service)
	if err != nil {
		return issuer{}, err
	}
	public, err := signs.published()
	if err == nil {
		err = writeWhole(s.jwks, public, 0o644)
	}
	keys := &clusterKeys{url: s.clusterKeys, client: client, now: time.Now}
	return issuer{known, verifier{keys, s.clusterIssuer, time.Now}, signs}, err
}

func runServe(ctx context.Context, arguments []string, _ io.Reader, output io.Writer) error {
	var told settings
	if err := parse(told.flags(), arguments, output,
		"listen", "certificate", "certificate-key", "key", "jwks", "operator", "cluster-keys"); err != nil {
		return err
	}
	answers, err := told.open()
	if err != nil {
		return err
	}
	server := &http.Server{Addr: told.listen, Handler: answers.handler(), ReadHeaderTimeout: headerTimeout}
	stopped := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.Background(), headerTimeout)
		defer cancel()
		_ = server.Shutdown(ending)
	})
	defer stopped()
	if err := server.ListenAndServeTLS(told.certificate, told.certificateKey); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
