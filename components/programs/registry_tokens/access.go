package main

import (
	"fmt"
	"slices"
	"strings"
)

const (
	guarded         = "tenants/"
	tenantNamespace = "tenant-"
)

// caller is who asks for a token. The zero value is anybody.
type caller struct {
	name     string
	operator bool
	// prefix that is the caller's own, such as `tenants/rival/`; empty: none.
	prefix string
}

// ofNamespace is the caller that a ServiceAccount of a namespace is.
func ofNamespace(namespace, account string) caller {
	known := caller{name: namespace + "/" + account}
	if tenant, found := strings.CutPrefix(namespace, tenantNamespace); found && tenant != "" {
		known.prefix = guarded + tenant + "/"
	}
	return known
}

// access is one entry of a token: what may be done with one repository, or with the registry as a whole.
// Source: https://distribution.github.io/distribution/spec/auth/jwt/
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// parseScopes reads the scopes of a request, of which one may hold several: `repository:tenants/a/web:pull,push`.
// A name may hold colons itself, when it begins with a host and a port.
// Source: https://distribution.github.io/distribution/spec/auth/scope/
func parseScopes(texts []string) ([]access, error) {
	var found []access
	for _, text := range strings.Fields(strings.Join(texts, " ")) {
		first, last := strings.Index(text, ":"), strings.LastIndex(text, ":")
		if first < 1 || last-first < 2 {
			return nil, fmt.Errorf("scope %q: allowed is TYPE:NAME:ACTION,ACTION", text)
		}
		found = append(found, access{
			Type:    text[:first],
			Name:    text[first+1 : last],
			Actions: strings.Split(text[last+1:], ","),
		})
	}
	return found, nil
}

// granted is that part of what is asked for that the caller may do. What is left out is refused by the registry,
// which asks for `pull` on the other repository too before it mounts a blob from there.
func (c caller) granted(asked []access) []access {
	found := []access{} // never null: the registry reads a list
	for _, one := range asked {
		if !c.operator {
			allowed := c.actions(one)
			one.Actions = slices.DeleteFunc(slices.Clone(one.Actions), func(action string) bool {
				return !slices.Contains(allowed, action)
			})
		}
		if len(one.Actions) > 0 {
			found = append(found, one)
		}
	}
	return found
}

func (c caller) actions(one access) []string {
	switch {
	case one.Type != "repository":
		return nil // the catalogue names what others have
	case !strings.HasPrefix(one.Name, guarded):
		return []string{"pull"}
	case c.prefix != "" && strings.HasPrefix(one.Name, c.prefix):
		return []string{"pull", "push"}
	default:
		return nil
	}
}
