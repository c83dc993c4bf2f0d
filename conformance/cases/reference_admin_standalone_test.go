package cases

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// wholes is the reference when it takes whole configurations and nothing else.
type wholes struct {
	standalone      bool
	digest          string
	modified        int64
	sectionVersions map[string]float64
	config          map[string][]any
}

// manageWhole is the Admin API of whole configurations. It reports false for what it
// leaves to the ordinary one.
func (g *reference) manageWhole(w http.ResponseWriter, r *http.Request, path string, body []byte) bool {
	line := r.Method + " " + path
	known := slices.Contains([]string{"HEAD /configs", "GET /configs", "PUT /configs", "POST /configs/validate"}, line)
	switch {
	case !g.standalone || !known && g.is("objects beside configurations"):
		return false
	case !known:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(404)
		return true
	case !g.authorised(w, r):
		return true
	case line == "POST /configs/validate":
		g.mu.Lock()
		defer g.mu.Unlock()
		g.validateConfigs(w, r, body)
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Method == "PUT" {
		g.putWhole(w, r, body)
		return true
	}
	g.tellWhole(w)
	if r.Method == "GET" {
		g.giveWhole(w, r)
	}
	return true
}

func (g *reference) tellWhole(w http.ResponseWriter) {
	if g.digest != "" {
		w.Header().Set("X-Digest", g.digest)
		w.Header().Set("X-Last-Modified", fmt.Sprint(g.modified))
	}
}

func (g *reference) giveWhole(w http.ResponseWriter, r *http.Request) {
	out := object{}
	for kind := range referenceKinds {
		out[kind+"_conf_version"] = g.sectionVersions[kind]
		if len(g.config[kind]) > 0 {
			out[kind] = g.config[kind]
		}
	}
	if r.Header.Get("Accept") == "application/yaml" && !g.is("gives no YAML") {
		text, _ := json.Marshal(out)
		text, _ = yaml.JSONToYAML(text)
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(text)
		return
	}
	reply(w, 200, out)
}

func (g *reference) putWhole(w http.ResponseWriter, r *http.Request, body []byte) {
	digest := r.Header.Get("X-Digest")
	if digest == "" && !g.is("needs no digest") {
		reply(w, 400, object{"error_msg": "missing digest header"})
		return
	}
	if len(body) == 0 {
		reply(w, 400, object{"error_msg": "invalid request body: empty request body"})
		return
	}
	if r.Header.Get("Content-Type") == "application/yaml" {
		if g.is("knows no YAML") {
			body = []byte("{}")
		}
		body, _ = yaml.YAMLToJSON(body)
	}
	var config object
	if err := json.Unmarshal(body, &config); err != nil {
		reply(w, 400, object{"error_msg": "invalid request body: " + err.Error()})
		return
	}
	if digest == g.digest && !g.is("writes the same digest again") {
		w.WriteHeader(204)
		return
	}
	for name := range config {
		kind := strings.TrimSuffix(name, "_conf_version")
		if _, known := referenceKinds[kind]; !known && !g.is("ignores unknown sections") {
			reply(w, 400, object{"error_msg": "unknown section [" + name + "]"})
			return
		}
	}
	next := map[string][]any{}
	versions := map[string]float64{}
	for _, kind := range slices.Sorted(maps.Keys(referenceKinds)) {
		items, version, msg := g.nextSection(kind, config)
		if msg != "" {
			reply(w, 400, object{"error_msg": msg})
			return
		}
		next[kind], versions[kind] = items, version
	}
	g.digest, g.modified, g.sectionVersions, g.config = digest, time.Now().Unix(), versions, next
	g.spread(w)
	g.tellWhole(w)
	w.WriteHeader(202)
}

// nextSection is what a section becomes, or what is wrong.
func (g *reference) nextSection(kind string, config object) (items []any, version float64, wrong string) {
	current := g.sectionVersions[kind]
	v, given := config[kind+"_conf_version"]
	version, isNumber := v.(float64)
	switch {
	case !given && g.is("versions stay"):
		version = current
	case !given:
		version = current + 1
	case !isNumber:
		return nil, 0, kind + "_conf_version must be a number"
	case version < current && !g.is("takes lower versions"):
		return nil, 0, fmt.Sprintf("%s_conf_version must be greater than or equal to (%.0f)", kind, current)
	case version == current && !g.is("equal versions replace"):
		return g.config[kind], version, ""
	}
	items, _ = config[kind].([]any)
	seen := map[string]bool{}
	for i, item := range items {
		whole, _ := item.(object)
		v := maps.Clone(whole)
		delete(v, "modifiedIndex")
		id := idText(v["id"])
		if msg := g.refuses(kind, id, v); msg != "" {
			if g.is("takes half of it") {
				g.config[kind] = items[:i]
			}
			return nil, 0, msg
		}
		if seen[id] && !g.is("takes duplicates") {
			return nil, 0, fmt.Sprintf("found duplicate id %s in %s", id, kind)
		}
		seen[id] = true
	}
	return items, version, ""
}

// spread makes the objects that the data plane goes by those of the configuration.
func (g *reference) spread(w http.ResponseWriter) {
	g.begin(w)
	if g.is("accepts and serves nothing") {
		return
	}
	if !g.is("keeps what configurations leave out") {
		g.objects = map[string]*stored{}
	}
	for kind, items := range g.config {
		for _, item := range items {
			v, _ := item.(object)
			id := idText(v["id"])
			g.objects[kind+"/"+id] = &stored{id: id, value: v, modified: g.rev, create: g.rev, order: g.seq}
			g.seq++
		}
	}
}
