package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	secretPrefix = "$secret://"
	envPrefix    = "$env://"
	envCapitals  = "$ENV://" // means the same
	// longestReference bounds a reference, in bytes.
	longestReference = 1024
)

// A place is what a $secret:// reference names.
type place struct {
	manager string // "vault/1"
	path    string // of the secret, below the prefix of its manager: "shop/tls"
	key     string // within the secret
}

// document is what is asked for at once.
func (p place) document() string { return p.manager + "/" + p.path }

// parse takes a $secret:// reference apart.
func parse(ref string) (place, error) {
	parts := strings.Split(strings.TrimPrefix(ref, secretPrefix), "/")
	switch {
	case len(ref) > longestReference:
		return place{}, fmt.Errorf("a reference has more than %d bytes", longestReference)
	case parts[0] == "aws", parts[0] == "gcp":
		return place{}, fmt.Errorf("managers of the kind %s are not supported by this gateway yet", parts[0])
	case parts[0] != "vault":
		return place{}, errors.New("there is no such kind of manager")
	case len(parts) < 4 || slices.ContainsFunc(parts, unfit):
		return place{}, errors.New("want $secret://vault/<id>/<path>/<key>")
	}
	last := len(parts) - 1
	return place{manager: parts[0] + "/" + parts[1], path: strings.Join(parts[2:last], "/"), key: parts[last]}, nil
}

// unfit tells parts that would lead out of what a manager is for.
func unfit(part string) bool {
	return part == "" || part == "." || part == ".." || strings.ContainsFunc(part, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' })
}

// ours begin the names of variables that hold secrets of the gateway itself. Whoever
// may write the settings of a manager could have them sent to a machine of theirs.
const ours = "UNILB_"

// isEnv tells a $env:// reference.
func isEnv(ref string) bool {
	return strings.HasPrefix(ref, envPrefix) || strings.HasPrefix(ref, envCapitals)
}

// fromEnv looks up a $env:// reference.
func fromEnv(ref string, lookup func(string) (string, bool)) (string, error) {
	name, key, member := strings.Cut(ref[len(envPrefix):], "/")
	fail := func(why string) (string, error) {
		return "", fmt.Errorf("environment variable %s: %s", name, why)
	}
	if name == "" {
		return "", errors.New("the reference names no environment variable")
	}
	if strings.HasPrefix(name, ours) {
		return fail("it is the gateway's own")
	}
	text, ok := lookup(name)
	if !ok {
		return fail("it is not set")
	}
	if !member || key == "" {
		return text, nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &members) != nil { // whose error would say a part of it
		return fail("it is no JSON object")
	}
	value, ok := textOf(members[key])
	if !ok {
		return fail(fmt.Sprintf("it has no text under the key %q", key))
	}
	return value, nil
}

// textOf is a JSON string.
func textOf(raw json.RawMessage) (string, bool) {
	var s *string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}
