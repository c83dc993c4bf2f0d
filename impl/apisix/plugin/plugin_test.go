package plugin_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/apisix/plugin"
)

func all() []*plugin.Plugin {
	list := slices.Clone(plugin.All())
	for _, p := range plugin.AllStream() {
		if !p.HTTP {
			list = append(list, p)
		}
	}
	return list
}

func TestEverySchemaCompilesAndIsComplete(t *testing.T) {
	names := map[string]bool{}
	for _, p := range all() {
		if names[p.Name] {
			t.Errorf("%s is there twice", p.Name)
		}
		names[p.Name] = true
		for _, k := range []plugin.Kind{plugin.Route, plugin.Consumer, plugin.Metadata} {
			_ = p.Check(map[string]any{}, k) // compiles
		}
		var served struct {
			Comment    string         `json:"$comment"`
			Type       string         `json:"type"`
			Properties map[string]any `json:"properties"`
		}
		if err := json.Unmarshal(p.Schema, &served); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if served.Comment == "" || served.Type != "object" || served.Properties["_meta"] == nil {
			t.Errorf("%s: schema %s: want an object with _meta and $comment", p.Name, p.Schema)
		}
		if all := string(p.Schema) + string(p.ConsumerSchema) + string(p.MetadataSchema); strings.Contains(all, "$ref") {
			t.Errorf("%s: a reference is left in %s", p.Name, all)
		}
		if p.Type == "auth" && !p.Guards {
			t.Errorf("%s authenticates and does not guard", p.Name)
		}
	}
	files, err := os.ReadDir("schemas")
	if err != nil || len(files) == 0 {
		t.Fatalf("schemas: %d files, %v", len(files), err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(f.Name(), ".json"); !names[name] {
			t.Errorf("schemas/%s is of no plugin", f.Name())
		}
	}
}

func TestThoseThatRunFirstComeFirst(t *testing.T) {
	for _, list := range [][]*plugin.Plugin{plugin.All(), plugin.AllStream()} {
		if !slices.IsSortedFunc(list, func(a, b *plugin.Plugin) int { return b.Priority - a.Priority }) {
			t.Errorf("not in order of priority: %d plugins from %s on", len(list), list[0].Name)
		}
	}
	if got := plugin.All()[0].Name; got != "real-ip" {
		t.Errorf("first plugin: got %s, want real-ip", got)
	}
	var stream []string
	for _, p := range plugin.AllStream() {
		stream = append(stream, p.Name)
	}
	if got, want := strings.Join(stream, " "), "ip-restriction limit-conn mqtt-proxy traffic-split prometheus syslog"; got != want {
		t.Errorf("stream plugins: got %s, want %s", got, want)
	}
}

func TestLookupKnowsTheSubsystems(t *testing.T) {
	for _, tc := range []struct {
		name         string
		http, stream bool
	}{{"key-auth", true, false}, {"mqtt-proxy", false, true}, {"limit-conn", true, true}, {"not-a-plugin", false, false}} {
		_, http := plugin.Lookup(tc.name)
		_, stream := plugin.LookupStream(tc.name)
		if http != tc.http || stream != tc.stream {
			t.Errorf("%s: got http %v, stream %v, want %v, %v", tc.name, http, stream, tc.http, tc.stream)
		}
	}
}

const (
	onRoute    = plugin.Route
	onConsumer = plugin.Consumer
	onMetadata = plugin.Metadata
)

func TestConfigurationsAreCheckedInAPISIXsWords(t *testing.T) {
	for _, tc := range configurations {
		p, ok := plugin.Lookup(tc.plugin)
		if !ok {
			t.Errorf("%s: no such plugin", tc.plugin)
			continue
		}
		d := json.NewDecoder(strings.NewReader(tc.conf))
		d.UseNumber()
		var conf map[string]any
		if err := d.Decode(&conf); err != nil {
			t.Errorf("%s: %v", tc.conf, err)
			continue
		}
		got := ""
		if err := p.Check(conf, tc.kind); err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s with %s:\ngot  %s\nwant %s", tc.plugin, tc.conf, got, tc.want)
		}
	}
}

// FuzzCheck has every plugin look at any object: none may panic, and what is switched
// off is never wrong.
func FuzzCheck(f *testing.F) {
	for _, tc := range configurations {
		f.Add(tc.conf)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var conf map[string]any
		if d.Decode(&conf) != nil || len(text) > 4096 {
			return
		}
		for _, p := range all() {
			for _, k := range []plugin.Kind{onRoute, onConsumer, onMetadata} {
				if err := p.Check(conf, k); err != nil && k != onMetadata && plugin.Disabled(conf) {
					t.Errorf("%s with %s: %v, and it is switched off", p.Name, text, err)
				}
			}
		}
	})
}
