package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/store"
)

// Headers that tell which configuration there is.
const (
	digestHeader   = "X-Digest"
	modifiedHeader = "X-Last-Modified"
)

// DefaultMaxConfigs is the default of Options.MaxConfigs, in bytes.
const DefaultMaxConfigs = 256 << 20

// A standing is which whole configuration there is. The objects themselves are where
// all objects are, so that gateways find them; all replicas go by what etcd holds.
type standing struct {
	Digest   string             `json:"digest"`        // as the client said it
	Modified int64              `json:"last_modified"` // unix seconds
	Versions map[string]float64 `json:"versions"`      // of sections; none: 0
	// Open are the sections that a replacement is changing, or was when it was cut
	// short: nobody knows what they hold before the next replacement ends.
	Open []string `json:"open,omitempty"`
}

// A note is what etcd holds of an object beside the object.
type note struct {
	Index json.Number `json:"modifiedIndex,omitempty"`
	Rank  int64       `json:"rank"` // its place in its section: after those with a smaller one
}

// notesDir is where it is kept what a whole configuration has beside objects.
func (h *Handler) notesDir() string { return notesDir(h.prefix) }

func notesDir(prefix string) string { return "/unilb/configs" + prefix + "/" }

func (h *Handler) standingKey() string { return standingKey(h.prefix) }

func standingKey(prefix string) string { return notesDir(prefix) + "standing" }

// itemNotes is where the notes of a section are.
func (h *Handler) itemNotes(section string) string { return h.notesDir() + "items/" + section + "/" }

// serveStandalone answers what there is of the Admin API when whole configurations are
// all that it takes.
func (h *Handler) serveStandalone(w http.ResponseWriter, r *http.Request, path string) {
	serve := h.standaloneEndpoint(r.Method, path)
	if serve == nil {
		page(w, http.StatusNotFound)
		return
	}
	key, f := h.authorize(r)
	if f != nil {
		f.write(w)
		return
	}
	serve(w, recorded(r, key.Name), key.Role)
}

func (h *Handler) standaloneEndpoint(method, path string) func(http.ResponseWriter, *http.Request, Role) {
	switch method + " " + path {
	case "GET /configs", "HEAD /configs":
		return h.giveConfigs
	case "PUT /configs":
		return func(w http.ResponseWriter, r *http.Request, _ Role) { h.replaceConfigs(w, r) }
	case "POST /configs/validate":
		return func(w http.ResponseWriter, r *http.Request, _ Role) { h.validateConfigs(w, r) }
	}
	return nil
}

// standing reads which configuration there is; kv is its key, rev the revision of the
// cluster.
func (h *Handler) standing(ctx context.Context) (s standing, kv store.KV, rev int64, err error) {
	kv, ok, rev, err := h.st.Get(ctx, h.standingKey())
	if err != nil || !ok {
		return standing{}, kv, rev, err
	}
	return parseStanding(kv.Value), kv, rev, nil
}

func parseStanding(value []byte) (s standing) {
	if json.Unmarshal(value, &s) != nil {
		return standing{Open: sections} // whatever it was, a replacement puts it right
	}
	return s
}

// headers tell which configuration there is, if there is one. That of a replacement
// that was cut short has no digest.
func (s standing) headers(to http.Header) {
	if s.Modified > 0 {
		to.Set(modifiedHeader, strconv.FormatInt(s.Modified, 10))
	}
	if s.Digest != "" && len(s.Open) == 0 {
		to.Set(digestHeader, s.Digest)
	}
}

// giveConfigs answers the whole configuration; to HEAD, which one it is.
func (h *Handler) giveConfigs(w http.ResponseWriter, r *http.Request, role Role) {
	s, _, rev, err := h.standing(r.Context())
	if err != nil {
		unavailable(err).write(w)
		return
	}
	s.headers(w.Header())
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	g := gift{h: h, s: s, rev: rev, role: role}
	if !wantsYAML(r.Header.Get("Accept")) {
		(&answer{code: http.StatusOK, stream: func(out io.Writer) error { return g.write(r.Context(), out) }}).write(w)
		return
	}
	var text bytes.Buffer
	err = g.write(r.Context(), &text)
	if err != nil {
		unavailable(err).write(w)
		return
	}
	out, err := yaml.JSONToYAML(text.Bytes())
	if err != nil {
		fail(http.StatusInternalServerError, "configuration cannot be written as YAML: "+err.Error()).write(w)
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(out) // a client that left is no error of ours
}

// wantsYAML tells whether the first thing that a client takes is YAML.
func wantsYAML(accept string) bool {
	first, _, _ := strings.Cut(accept, ",")
	kind, _, err := mime.ParseMediaType(first)
	return err == nil && kind == "application/yaml"
}

// gift is one answer with the whole configuration.
type gift struct {
	h    *Handler
	s    standing
	rev  int64 // as of which
	role Role
}

// write holds one section at a time.
func (g gift) write(ctx context.Context, out io.Writer) error {
	separator := "{"
	for _, section := range sections {
		version := g.s.Versions[section]
		text, err := json.Marshal(version)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\"%s_conf_version\":%s", separator, section, text); err != nil {
			return err
		}
		separator = ","
		if version == 0 && len(g.s.Open) == 0 {
			continue
		}
		values, err := g.section(ctx, section)
		if err != nil {
			return fmt.Errorf("read %s: %w", section, err)
		}
		for i, v := range values {
			before := ","
			if i == 0 {
				before = fmt.Sprintf(",%q:[", section)
			}
			if _, err := io.WriteString(out, before); err != nil {
				return err
			}
			if _, err := out.Write(v); err != nil {
				return err
			}
		}
		if len(values) > 0 {
			if _, err := io.WriteString(out, "]"); err != nil {
				return err
			}
		}
	}
	_, err := io.WriteString(out, "}\n")
	return err
}

// section are the objects of a section in their order.
func (g gift) section(ctx context.Context, section string) ([][]byte, error) {
	notes := map[string]note{}
	if _, err := g.h.each(ctx, g.h.itemNotes(section), g.rev, func(kv store.KV) error {
		var n note
		if json.Unmarshal(kv.Value, &n) == nil {
			notes[strings.TrimPrefix(kv.Key, g.h.itemNotes(section))] = n
		}
		return nil
	}); err != nil {
		return nil, err
	}
	var tails []string
	values := map[string][]byte{}
	if _, err := g.h.each(ctx, g.h.dir(section), g.rev, func(kv store.KV) error {
		tail := strings.TrimPrefix(kv.Key, g.h.dir(section))
		if strings.HasSuffix(tail, "/") {
			return nil
		}
		if value, ok := g.value(placeOf(section, tail), kv.Value, notes[tail].Index); ok {
			tails, values[tail] = append(tails, tail), value
		}
		return nil
	}); err != nil {
		return nil, err
	}
	out := make([][]byte, len(tails))
	for i, tail := range inOrder(tails, notes) {
		out[i] = values[tail]
	}
	return out, nil
}

// placeOf is the address of an object that follows the directory of its section.
func placeOf(section, tail string) address {
	at := address{res: resources[section], id: tail}
	owner, id, isCredential := apisix.SplitCredential(tail)
	switch {
	case section == "consumers" && isCredential:
		return address{credentials, apisix.CredentialTail(owner, ""), id}
	case section == "secrets":
		manager, id, _ := strings.Cut(tail, "/")
		at.within, at.id = manager+"/", id
	}
	return at
}

// value is a stored object as a configuration holds it: secrets are in clear, for a
// client compares them with its own. Who may only read gets no private keys, as
// elsewhere.
func (g gift) value(at address, stored []byte, index json.Number) ([]byte, bool) {
	if _, ok := isObject(stored); !ok {
		return nil, false
	}
	if g.role != Admin {
		stored = g.h.shown(at.res, stored)
	}
	plain, err := g.h.opened(at.res, stored)
	if err != nil {
		return nil, false
	}
	obj, err := apisix.Parse(plain)
	if err == nil && g.role == Admin {
		obj, err = g.h.keyring.Open(obj, at.res.keys)
	}
	if err == nil && index != "" {
		obj, err = obj.With(map[string]any{"modifiedIndex": index})
	}
	if err != nil {
		return nil, false
	}
	return obj.Encode(), true
}
