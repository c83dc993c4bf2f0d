package admin

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/apisix/plugin"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

// serveCatalogue answers what is about plugins rather than objects. It reports false
// for paths of others.
func (h *Handler) serveCatalogue(w http.ResponseWriter, r *http.Request, path string) bool {
	switch {
	case path == "/plugins/list" && r.Method == http.MethodGet:
		writeResult(w, pluginNames, r)
		return true
	case path == "/plugins/reload":
		writeResult(w, h.reloadPlugins, r)
		return true
	}
	name, ours := strings.CutPrefix(path, "/schema/plugins/")
	if !ours {
		name, ours = strings.CutPrefix(path, "/plugins")
		ours = ours && (name == "" || name[0] == '/')
		name = strings.TrimPrefix(name, "/")
	}
	if !ours {
		return false
	}
	if r.Method != http.MethodGet {
		fail(http.StatusNotFound, "not found").write(w)
		return true
	}
	if err := readNothing(w, r); err != nil {
		err.write(w)
		return true
	}
	w.Header().Set("X-API-VERSION", apiVersion)
	writeResult(w, func(r *http.Request) (*answer, *failure) { return pluginSchema(r, name) }, r)
	return true
}

func writeResult(w http.ResponseWriter, serve func(*http.Request) (*answer, *failure), r *http.Request) {
	a, err := serve(r)
	if err != nil {
		err.write(w)
		return
	}
	a.write(w)
}

// subsystem returns the plugins that the query asks about, those that run first at
// the beginning; nil: there is no such subsystem.
func subsystem(r *http.Request) (name string, plugins []*plugin.Plugin) {
	args := arguments(r)
	switch name = args.Get("subsystem"); {
	case name == "http" || !args.Has("subsystem"):
		return "http", plugin.All()
	case name == "stream":
		return name, plugin.AllStream()
	}
	return name, nil
}

func pluginNames(r *http.Request) (*answer, *failure) {
	_, plugins := subsystem(r)
	if plugins == nil {
		return nil, &failure{code: http.StatusBadRequest, body: "invalid subsystem passed"}
	}
	names := make([]string, len(plugins))
	for i, p := range plugins {
		names[i] = p.Name
	}
	return &answer{code: http.StatusOK, body: names}, nil
}

func pluginSchema(r *http.Request, name string) (*answer, *failure) {
	system, plugins := subsystem(r)
	if plugins == nil {
		return nil, bad("unsupported subsystem: " + system)
	}
	if arguments(r).Get("all") == "true" {
		return &answer{code: http.StatusOK, body: plugin.Describe(plugins)}, nil
	}
	i := slices.IndexFunc(plugins, func(p *plugin.Plugin) bool { return p.Name == name })
	switch {
	case i < 0:
		return nil, fail(http.StatusNotFound, "plugin not found in subsystem "+system)
	case arguments(r).Get("schema_type") != "consumer":
		return &answer{code: http.StatusOK, body: plugins[i].Schema}, nil
	case plugins[i].ConsumerSchema == nil:
		return nil, bad("not found schema")
	}
	return &answer{code: http.StatusOK, body: plugins[i].ConsumerSchema}, nil
}

// published is a plugin in the list that data planes of APISIX follow.
type published struct {
	Name   string `json:"name"`
	Stream bool   `json:"stream,omitempty"`
}

// reloadPlugins has data planes of APISIX load the plugins that its default
// configuration names. Objects may use the others as well; a data plane skips what
// it has not loaded.
func (h *Handler) reloadPlugins(r *http.Request) (*answer, *failure) {
	if r.Method != http.MethodPut {
		return nil, fail(http.StatusMethodNotAllowed, "please use PUT method to reload the plugins, "+r.Method+" method is not allowed.")
	}
	if _, err := h.commit(r.Context(), nil, store.Op{Key: h.pluginsKey(), Value: publishedPlugins()}); err != nil {
		h.log.Error("list of plugins not published", obs.Key, h.pluginsKey(), obs.Err, err)
		return nil, unavailable(err)
	}
	return &answer{code: http.StatusOK, body: "done"}, nil
}

func (h *Handler) pluginsKey() string { return h.prefix + "/plugins" }

// publishedPlugins is the list as it is in etcd.
func publishedPlugins() []byte {
	var list []published
	for _, p := range plugin.All() {
		if p.Default {
			list = append(list, published{Name: p.Name})
		}
	}
	for _, p := range plugin.AllStream() {
		if p.DefaultStream {
			list = append(list, published{p.Name, true})
		}
	}
	value, _ := json.Marshal(list) // names
	return value
}
