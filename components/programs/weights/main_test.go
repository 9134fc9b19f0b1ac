package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAWrongCommandLineIsRefusedWithWhatIsAllowed(t *testing.T) {
	for line, says := range map[string]string{
		"":                              "usage: weights publish|serve|fetch",
		"bring":                         "bring is no verb",
		"fetch":                         "--manifest is missing: digest of the manifest",
		"fetch --manifest abc --into x": `"abc" is no digest`,
		"fetch --into x --manifest sha256:" + strings.Repeat("0", 64):             "--cache is missing",
		"serve --endpoint x --bucket x --credentials x":                           "--folder is missing",
		"serve --endpoint x --bucket x --credentials x --folder x --limit-mib -1": "--limit-mib -1: allowed is 1 or more",
		"publish --bucket x": "--endpoint is missing",
	} {
		err := run(t.Context(), strings.Fields(line), io.Discard)
		var wrong errUsage
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: found %v, wanted %q", line, err, says)
		}
	}
}

func TestCredentialsInAnotherShapeAreRefusedWithoutBeingShown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s3.json")
	if err := os.WriteFile(path, []byte(`{"key": "hidden"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := bucketFlags{credentials: path}.open()
	if err == nil || strings.Contains(err.Error(), "hidden") || !strings.Contains(err.Error(), "access_key") {
		t.Fatal(err)
	}
}

func TestTheManifestOfAFolderDoesNotDependOnWhenItsFilesWereMade(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, name := range []string{"b", "a"} {
		write(t, first, name)
	}
	for _, name := range []string{"a", "b", manifestName} { // what a fetch left is no part of it
		write(t, second, name)
	}
	one, err := describe(first)
	other, wrong := describe(second)
	if err != nil || wrong != nil || string(one.text()) != string(other.text()) || len(one.Files) != 2 {
		t.Fatalf("%s and %s: %v, %v", one.text(), other.text(), err, wrong)
	}
	if _, err := describe(t.TempDir()); err == nil {
		t.Fatal("an empty folder has weights")
	}
}

func write(t *testing.T, folder, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(name), 0o644); err != nil {
		t.Fatal(err)
	}
}
