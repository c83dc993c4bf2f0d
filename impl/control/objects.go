package control

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/config"
)

// A collection is a kind of objects as the control API names it.
type collection struct {
	kind      config.Kind
	dir       string // in etcd
	list, one string // in paths
	missing   string // what of an id that nobody has is not found
}

var collections = []collection{
	{config.Routes, "routes", "routes", "route", "route"},
	{config.Services, "services", "services", "service", "service"},
	{config.Upstreams, "upstreams", "upstreams", "upstream", "upstream"},
	{config.PluginMetadata, "plugin_metadata", "plugin_metadatas", "plugin_metadata", "plugin metadata"},
}

// list answers the objects of a kind in the order of their ids. It writes them as it goes:
// there may be a hundred thousand.
func (h *handler) list(w http.ResponseWriter, c collection) {
	const buffer = 32 << 10 // bytes
	snap := h.Snapshot()
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriterSize(w, buffer)
	sep := byte('[')
	for _, id := range snap.IDs(c.kind) {
		o, ok := snap.Stored(c.kind, id)
		if !ok {
			continue // cannot be: a snapshot does not change
		}
		_ = out.WriteByte(sep)
		sep = ','
		if _, err := out.Write(h.item(c, id, o)); err != nil {
			return // the client is gone
		}
	}
	if sep == '[' {
		_ = out.WriteByte(sep)
	}
	_, _ = out.WriteString("]\n")
	_ = out.Flush()
}

func (h *handler) one(w http.ResponseWriter, c collection, id string) {
	o, ok := h.Snapshot().Stored(c.kind, id)
	if !ok {
		fail(w, http.StatusNotFound, fmt.Sprintf("%s[%s] not found", c.missing, id))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(h.item(c, id, o), '\n'))
}

// item is an object as a worker of APISIX holds it.
func (h *handler) item(c collection, id string, o config.Stored) []byte {
	value := h.value(c, id, o.Value)
	b := make([]byte, 0, len(value)+len(id)+128)
	b = append(b, `{"key":`...)
	key, _ := json.Marshal(h.Prefix + "/" + c.dir + "/" + id) // text can always be written
	b = append(append(append(b, key...), `,"value":`...), value...)
	b = strconv.AppendInt(append(b, `,"createdIndex":`...), o.Create, 10)
	b = strconv.AppendInt(append(b, `,"modifiedIndex":`...), o.Mod, 10)
	b = strconv.AppendInt(append(b, `,"update_count":`...), int64(o.Updates), 10)
	if c.kind == config.PluginMetadata {
		b = appendMembers(b, value)
	}
	return append(b, '}')
}

// value is what may be told of an object, with the id that its key says.
func (h *handler) value(c collection, id string, stored []byte) []byte {
	shown, ok := h.Shown(c.kind, id, stored)
	if !ok {
		shown = []byte("{}")
	}
	var head struct {
		ID any `json:"id"`
	}
	if json.Unmarshal(shown, &head) == nil && head.ID == id {
		var b bytes.Buffer
		if json.Compact(&b, shown) == nil {
			return b.Bytes()
		}
	}
	// APISIX takes the id from the key as well, whatever the object says.
	if parsed, err := apisix.Parse(shown); err == nil {
		if named, err := parsed.With(map[string]any{"id": id}); err == nil {
			return named.Encode()
		}
	}
	return []byte("{}") // cannot be: what is in force is an object
}

// appendMembers appends the members of plugin metadata beside the rest: APISIX's own control API
// tells them bare.
func appendMembers(b, value []byte) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(value, &members) != nil {
		return b // cannot be
	}
	for _, taken := range []string{"key", "value", "createdIndex", "modifiedIndex", "update_count"} {
		delete(members, taken)
	}
	text, err := json.Marshal(members)
	if err != nil || len(members) == 0 {
		return b
	}
	return append(append(b, ','), text[1:len(text)-1]...)
}
