package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

const testIssuer = "https://kubernetes.default.svc.cluster.local"

// cluster signs tokens of ServiceAccounts, and shows its public keys.
type cluster struct {
	signer signer
	server *httptest.Server
	asked  int
	down   bool
}

func aSigner(t *testing.T) signer {
	t.Helper()
	key, err := loadKey(filepath.Join(t.TempDir(), "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	made, err := newSigner(key, "registry-tokens", "registry")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func aCluster(t *testing.T) *cluster {
	t.Helper()
	made := &cluster{signer: aSigner(t)}
	made.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		made.asked++
		if made.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		text, err := made.signer.published()
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(made.server.Close)
	return made
}

func (c *cluster) keys(now func() time.Time) *clusterKeys {
	return &clusterKeys{url: c.server.URL, client: c.server.Client(), now: now}
}

// token of a ServiceAccount, with some claims changed.
func (c *cluster) token(t *testing.T, namespace string, changed map[string]any) string {
	t.Helper()
	said := map[string]any{
		"iss": testIssuer, "aud": []string{"registry"}, "sub": "system:serviceaccount:" + namespace + ":default",
		"exp": time.Now().Add(time.Hour).Unix(), "nbf": time.Now().Unix(), "iat": time.Now().Unix(),
		"kubernetes.io": map[string]any{"namespace": namespace},
	}
	maps.Copy(said, changed)
	return compact(t, c.signer.private(), map[string]any{"alg": "ES256", "kid": c.signer.key.KeyID}, said)
}

// private is the key itself, to sign what no library would.
func (s signer) private() *ecdsa.PrivateKey { return s.key.Key.(*ecdsa.PrivateKey) }

func compact(t *testing.T, key *ecdsa.PrivateKey, head, body map[string]any) string {
	t.Helper()
	var parts []string
	for _, part := range []map[string]any{head, body} {
		text, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	text := strings.Join(parts, ".")
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func anIssuer(t *testing.T, c *cluster) issuer {
	t.Helper()
	known := verifier{c.keys(time.Now), testIssuer, time.Now}
	return issuer{operator{"operator", "the operator's key"}, known, aSigner(t)}
}

// ask returns the status and what the token grants, as `NAME ACTIONS`.
func ask(t *testing.T, from issuer, user, password string, scopes ...string) (int, string) {
	t.Helper()
	query := url.Values{"service": {"registry"}, "scope": scopes}
	request := httptest.NewRequest(http.MethodGet, "/token?"+query.Encode(), nil)
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	answer := httptest.NewRecorder()
	from.handler().ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		return answer.Code, answer.Body.String()
	}
	var told struct {
		Token   string `json:"token"`
		Seconds int    `json:"expires_in"`
	}
	var said struct {
		Access []access `json:"access"`
		From   int64    `json:"iat"`
		Until  int64    `json:"exp"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &told); err != nil {
		t.Fatal(err)
	}
	parsed, err := jwt.ParseSigned(told.Token, algorithms)
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.Claims(from.signer.key.Public(), &said); err != nil || said.Access == nil {
		t.Fatalf("%v in %+v", err, said)
	}
	if told.Seconds != 300 || said.Until-said.From != 300 {
		t.Fatalf("a token lives for %d s, and says %d", said.Until-said.From, told.Seconds)
	}
	var lines []string
	for _, one := range said.Access {
		lines = append(lines, one.Name+" "+strings.Join(one.Actions, ","))
	}
	return answer.Code, strings.Join(lines, "; ")
}

func TestWhoMayDoWhatFollowsFromTheNamespace(t *testing.T) {
	c := aCluster(t)
	from := anIssuer(t, c)
	tenant, system := c.token(t, "tenant-a", nil), c.token(t, "kube-system", nil)
	short := c.token(t, "tenant-", nil)
	for name, row := range map[string]struct{ user, password, scope, granted string }{
		"its own":                    {"x", tenant, "repository:tenants/a/web:pull,push", "tenants/a/web pull,push"},
		"its own, but not delete":    {"x", tenant, "repository:tenants/a/web:delete,*", ""},
		"another's":                  {"x", tenant, "repository:tenants/b/web:pull,push", ""},
		"a longer name":              {"x", tenant, "repository:tenants/ab/web:pull", ""},
		"the prefix itself":          {"x", tenant, "repository:tenants/a:pull", ""},
		"what the region runs":       {"x", tenant, "repository:lab/hello:pull,push", "lab/hello pull"},
		"the catalogue":              {"x", tenant, "registry:catalog:*", ""},
		"two in one":                 {"x", tenant, "repository:tenants/a/x:pull repository:tenants/b/x:pull", "tenants/a/x pull"},
		"nothing, to log in":         {"x", tenant, "", ""},
		"no tenant":                  {"x", system, "repository:tenants/a/web:pull", ""},
		"no tenant, the region's":    {"x", system, "repository:lab/hello:pull,push", "lab/hello pull"},
		"a tenant without a name":    {"x", short, "repository:tenants//web:pull", ""},
		"anybody, the region's":      {"", "", "repository:lab/hello:pull,push", "lab/hello pull"},
		"anybody, a tenant's":        {"", "", "repository:tenants/a/web:pull", ""},
		"the operator":               {"operator", "the operator's key", "repository:tenants/a/web:pull,push,delete", "tenants/a/web pull,push,delete"},
		"the operator, the list":     {"operator", "the operator's key", "registry:catalog:*", "catalog *"},
		"a name with a host in it":   {"x", tenant, "repository:host:5000/tenants/a/x:pull", "host:5000/tenants/a/x pull"},
		"a class of its own":         {"x", tenant, "repository(plugin):tenants/a/x:pull", ""},
		"a prefix within the prefix": {"x", tenant, "repository:lab/tenants/b/x:pull", "lab/tenants/b/x pull"},
	} {
		if status, granted := ask(t, from, row.user, row.password, row.scope); status != 200 || granted != row.granted {
			t.Errorf("%s: found %d %q, wanted %q", name, status, granted, row.granted)
		}
	}
	if _, granted := ask(t, from, "x", tenant, "repository:tenants/a/x:push", "repository:tenants/b/x:pull"); granted != "tenants/a/x push" {
		t.Errorf("of two scopes: %q", granted)
	}
}

func TestATokenThatIsNotTheClustersForTheRegistryIsRefused(t *testing.T) {
	c := aCluster(t)
	from := anIssuer(t, c)
	stranger := aCluster(t)
	good := strings.Split(c.token(t, "tenant-a", nil), ".")
	other := strings.Split(c.token(t, "tenant-b", nil), ".")
	hour := time.Hour
	body := map[string]any{"iss": testIssuer, "aud": "registry", "sub": "system:serviceaccount:tenant-a:x",
		"exp": time.Now().Add(hour).Unix(), "kubernetes.io": map[string]any{"namespace": "tenant-a"}}
	if status, said := ask(t, from, "x", strings.Join(good, ".")); status != 200 {
		t.Fatalf("control: %d %s", status, said)
	}
	for name, row := range map[string]struct{ token, says string }{
		"for the API server":  {c.token(t, "tenant-a", map[string]any{"aud": []string{testIssuer}}), "audience"},
		"without an audience": {c.token(t, "tenant-a", map[string]any{"aud": nil}), "cannot be read"},
		"of another issuer":   {c.token(t, "tenant-a", map[string]any{"iss": "https://other"}), "issuer"},
		"expired":             {c.token(t, "tenant-a", map[string]any{"exp": time.Now().Add(-hour).Unix()}), "expired"},
		"without an end":      {c.token(t, "tenant-a", map[string]any{"exp": nil}), "expired"},
		"not yet valid":       {c.token(t, "tenant-a", map[string]any{"nbf": time.Now().Add(hour).Unix()}), "not valid yet"},
		"for a year":          {c.token(t, "tenant-a", map[string]any{"exp": time.Now().Add(9000 * hour).Unix()}), "too long"},
		"issued never":        {c.token(t, "tenant-a", map[string]any{"iat": nil}), "too long"},
		"of a person":         {c.token(t, "tenant-a", map[string]any{"sub": "ada"}), "allowed are ServiceAccounts"},
		"of two namespaces":   {c.token(t, "tenant-a", map[string]any{"sub": "system:serviceaccount:tenant-b:x"}), "ServiceAccounts"},
		"of another cluster":  {stranger.token(t, "tenant-a", nil), "no key of the cluster"},
		"with another body":   {good[0] + "." + other[1] + "." + good[2], "no key of the cluster"},
		"without a signature": {good[0] + "." + good[1] + ".", "no key of the cluster"},
		"with alg none":       {compact(t, c.signer.private(), map[string]any{"alg": "none", "kid": c.signer.key.KeyID}, body), "no token of a ServiceAccount"},
		"with alg HS256":      {compact(t, c.signer.private(), map[string]any{"alg": "HS256", "kid": c.signer.key.KeyID}, body), "no token of a ServiceAccount"},
		"a password":          {"guess", "no token of a ServiceAccount"},
		"three parts":         {"a.b.c", "no token of a ServiceAccount"},
	} {
		status, said := ask(t, from, "x", row.token, "repository:lab/hello:pull")
		if status != http.StatusUnauthorized || !strings.Contains(said, row.says) {
			t.Errorf("%s: found %d %q, wanted %q", name, status, said, row.says)
		}
	}
	if status, said := ask(t, from, "operator", "guess"); status != http.StatusUnauthorized {
		t.Errorf("another key than the operator's: %d %s", status, said)
	}
	if status, said := ask(t, from, "x", "", "repository:x"); status != http.StatusBadRequest {
		t.Errorf("half a scope: %d %s", status, said)
	}
}

func TestBeforeThereIsAClusterOnlyItsAccountsWait(t *testing.T) {
	c := aCluster(t)
	c.down = true
	from := anIssuer(t, c)
	if status, _ := ask(t, from, "", "", "repository:lab/hello:pull"); status != 200 {
		t.Errorf("anybody: %d", status)
	}
	if status, _ := ask(t, from, "operator", "the operator's key", "repository:lab/hello:push"); status != 200 {
		t.Errorf("the operator: %d", status)
	}
	if status, said := ask(t, from, "x", c.token(t, "tenant-a", nil)); status != 503 || !strings.Contains(said, "is there a cluster?") {
		t.Errorf("an account: %d %s", status, said)
	}
}

func TestKeysAreAskedForWhenNeededAndKeptWhileTheClusterIsDown(t *testing.T) {
	c := aCluster(t)
	now := time.Unix(1_000_000, 0)
	keys := c.keys(func() time.Time { return now })
	find := func(id string) error {
		_, err := keys.find(id)
		return err
	}
	var refused errRefused
	if find(c.signer.key.KeyID) != nil || find(c.signer.key.KeyID) != nil || c.asked != 1 {
		t.Fatalf("asked %d times for one key", c.asked)
	}
	if err := find("unknown"); !errors.As(err, &refused) || c.asked != 1 {
		t.Fatalf("%v; asked %d times: whoever invents keys makes us ask", err, c.asked)
	}
	now = now.Add(pause + time.Second)
	old := c.signer.key.KeyID
	c.signer = aSigner(t) // a cluster that was made again
	if err := find(c.signer.key.KeyID); err != nil || !errors.As(find(old), &refused) {
		t.Fatalf("the new key: %v; the old one is still good", err)
	}
	c.down = true
	now = now.Add(fresh + time.Second)
	if err := find(c.signer.key.KeyID); err != nil {
		t.Fatalf("an outage stops pulls: %v", err)
	}
	now = now.Add(kept)
	if err := find(c.signer.key.KeyID); err == nil || errors.As(err, &refused) {
		t.Fatalf("after an hour: %v", err)
	}
}

func TestKeysOfOtherKindsAreLeftOut(t *testing.T) {
	wide := base64.RawURLEncoding.EncodeToString(make([]byte, 40))
	for name, text := range map[string]string{
		"no JSON":       "x",
		"none":          `{"keys": []}`,
		"a secret":      `{"keys": [{"kty": "oct", "kid": "a"}]}`,
		"off the curve": `{"keys": [{"kty": "EC", "kid": "a", "crv": "P-256", "x": "AQ", "y": "AQ"}]}`,
		"too wide":      `{"keys": [{"kty": "EC", "kid": "a", "crv": "P-256", "x": "` + wide + `1", "y": "AQ"}]}`,
	} {
		if found, err := parseKeys([]byte(text)); err == nil {
			t.Errorf("%s: %v", name, found)
		}
	}
}

func TestTheSigningKeyStaysThatOfTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	first, err := loadKey(path)
	again, wrong := loadKey(path)
	if err != nil || wrong != nil || !first.Equal(again) || first.Curve != elliptic.P256() {
		t.Fatal(err, wrong)
	}
	if err := writeWhole(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadKey(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatal(err)
	}
}

func TestTheKubeletIsHandedThePodsOwnToken(t *testing.T) {
	question := `{"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderRequest",
		"image": "registry.lab.internal:5000/tenants/a/web", "serviceAccountToken": "the-token"}`
	var answer strings.Builder
	if err := run(t.Context(), []string{"provide"}, strings.NewReader(question), &answer); err != nil {
		t.Fatal(err)
	}
	wanted := `"auth":{"registry.lab.internal:5000/tenants/a/web":{"password":"the-token","username":"serviceaccount"}}`
	if !strings.Contains(answer.String(), wanted) || !strings.Contains(answer.String(), `"cacheDuration":"0s"`) {
		t.Fatal(answer.String())
	}
	for _, wrong := range []string{"the-token", strings.Replace(question, "v1", "v0", 1),
		strings.Replace(question, `"the-token"`, `""`, 1)} {
		err := run(t.Context(), []string{"provide"}, strings.NewReader(wrong), io.Discard)
		if err == nil || strings.Contains(err.Error(), "the-token") {
			t.Error(err)
		}
	}
}

func TestAWrongCommandLineIsRefusedWithWhatIsAllowed(t *testing.T) {
	for line, says := range map[string]string{
		"":                     "usage: registry-tokens serve|provide",
		"issue":                "issue is no verb",
		"serve":                "--listen is missing: ADDRESS:PORT",
		"serve --no-such-flag": "flag provided but not defined",
	} {
		err := run(t.Context(), strings.Fields(line), nil, io.Discard)
		var wrong errUsage
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: found %v, wanted %q", line, err, says)
		}
	}
}
