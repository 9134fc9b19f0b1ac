package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var twoFiles = map[string]string{"config.json": "{}", "parts/one.bin": "weights!"}

// stocked is a shelf with some files and their manifest, and the manifest's digest.
func stocked(files map[string]string) (*shelf, digest) {
	var about manifest
	var texts []string
	for path, text := range files {
		about.Files = append(about.Files, entry{Path: path, Size: int64(len(text)), SHA256: digestOfText([]byte(text))})
		texts = append(texts, text)
	}
	texts = append(texts, string(about.text()))
	return shelve(texts...), digestOfText(about.text())
}

func serving(t *testing.T, store *shelf) string {
	t.Helper()
	server := httptest.NewServer(opened(t, t.TempDir(), 1<<20, store).handler())
	t.Cleanup(server.Close)
	return server.URL
}

func fetch(t *testing.T, into string, of digest, caches ...string) error {
	t.Helper()
	f := fetcher{caches: caches, into: into, patience: time.Second, web: client()}
	return f.all(t.Context(), of, 2)
}

func holds(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for path, text := range files {
		if found, err := os.ReadFile(filepath.Join(folder, path)); err != nil || string(found) != text {
			t.Errorf("%s: found %q, %v", path, found, err)
		}
	}
}

func TestAFolderIsFilledWithAllFilesAndTheManifest(t *testing.T) {
	store, of := stocked(twoFiles)
	into, cache := t.TempDir(), serving(t, store)
	for range 2 { // the second finds all there
		if err := fetch(t, into, of, cache); err != nil {
			t.Fatal(err)
		}
	}
	holds(t, into, twoFiles)
	if held, _, _ := digestOfFile(filepath.Join(into, manifestName)); held != of {
		t.Fatalf("the manifest is %s", held)
	}
	if len(store.reads) != 3 {
		t.Fatalf("%d reads", len(store.reads))
	}
}

func TestAFetchGoesOnWhereItEndedWhateverIsThere(t *testing.T) {
	store, of := stocked(twoFiles)
	cache := serving(t, store)
	for _, left := range []string{"weig", "wrng", "weights!", "weights and more"} {
		into := t.TempDir()
		if err := os.MkdirAll(filepath.Join(into, "parts"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(into, "parts", "one.bin.part"), []byte(left), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := fetch(t, into, of, cache); err != nil {
			t.Fatalf("%q: %v", left, err)
		}
		holds(t, into, twoFiles)
	}
}

func TestTheNextCacheIsAskedWhereTheFirstDoesNotAnswer(t *testing.T) {
	store, of := stocked(twoFiles)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	into := t.TempDir()
	if err := fetch(t, into, of, dead.URL, serving(t, store)); err != nil {
		t.Fatal(err)
	}
	holds(t, into, twoFiles)
}

func TestWhatIsMissingAndWhatIsAnotherEndTheFetchByName(t *testing.T) {
	one := digestOfText([]byte("weights!"))
	for name, change := range map[string]func(*shelf){
		"parts/one.bin: CACHE says weights-missing: " + one.key(): func(s *shelf) { delete(s.objects, one) },
		"parts/one.bin: CACHE says weights-refused: " + one.key(): func(s *shelf) { s.objects[one] = []byte("weighty!") },
	} {
		store, of := stocked(twoFiles)
		change(store)
		cache, into := serving(t, store), t.TempDir()
		err := fetch(t, into, of, cache)
		if err == nil || !strings.HasPrefix(err.Error(), strings.Replace(name, "CACHE", cache, 1)) {
			t.Errorf("%s: found %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(into, manifestName)); err == nil {
			t.Error("the manifest says that all is there")
		}
	}
}

func TestACacheThatAnswersOtherBytesIsAskedToVerifyAndThenNotBelieved(t *testing.T) {
	store, of := stocked(map[string]string{"one.bin": "weights!"})
	honest := opened(t, t.TempDir(), 1<<20, store).handler()
	var asked []string
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, string(of)) {
			honest.ServeHTTP(w, r)
			return
		}
		asked = append(asked, r.Header.Get("Cache-Control"))
		_, _ = w.Write([]byte("weighty!"))
	}))
	t.Cleanup(liar.Close)
	err := fetch(t, t.TempDir(), of, liar.URL)
	if err == nil || !strings.Contains(err.Error(), "one.bin: refused: "+liar.URL+" gave another content") {
		t.Fatal(err)
	}
	if strings.Join(asked, ",") != ",no-cache" {
		t.Fatalf("asked with %q", asked)
	}
}

func TestAManifestThatLeavesItsFolderIsRefused(t *testing.T) {
	for _, path := range []string{"../up", "/etc/passwd", "a/../../b", "a//b", manifestName, ""} {
		store, of := stocked(map[string]string{path: "text"})
		if err := fetch(t, t.TempDir(), of, serving(t, store)); err == nil || !strings.Contains(err.Error(), "paths are relative") {
			t.Errorf("%q: found %v", path, err)
		}
	}
	store := shelve("no manifest")
	if err := fetch(t, t.TempDir(), digestOfText([]byte("no manifest")), serving(t, store)); err == nil {
		t.Error("a text is taken for a manifest")
	}
}

func TestARackIsKnownByTheNameOfItsHost(t *testing.T) {
	for node, rack := range map[string]string{"lab-r01-t02": "lab-r01", "ess-r250-t18": "ess-r250", "a-t1-t03": "a-t1"} {
		if found := rackOf(node); found != rack {
			t.Errorf("%s: found %s", node, found)
		}
	}
}
