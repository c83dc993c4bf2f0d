package topology

import (
	"strings"
	"testing"

	"github.com/unilb/unilb/topology/strict/schematest"
)

// judge says what a JSON schema validator finds wrong with a topology file.
func judge(t *testing.T, src string) error {
	t.Helper()
	return schematest.Compile(t, Schema())(src)
}

func TestSchemaAcceptsEveryFileThatLoads(t *testing.T) {
	files := map[string]string{"base": base, "wired": wiredFile, "three regions": threeRegionsFile,
		"odd times": strings.Replace(base, "    idc:", "    wires: {az1--az2: {delay: 1.5s, jitter: 1ms500us}}\n    idc:", 1)}
	for _, name := range LibraryNames() {
		b, err := Library.ReadFile("library/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(b)
		if !strings.HasPrefix(files[name], "# yaml-language-server: $schema=../schema.json\n") {
			t.Errorf("library/%s.yaml does not tell editors its schema in its first line", name)
		}
	}
	for name, src := range files {
		if _, err := Parse(name, []byte(src)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := judge(t, src); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefusesWhatEditorsShouldMark(t *testing.T) {
	for name, tt := range map[string]struct{ from, to string }{
		"unknown key":     {"hosts: 1", "host: 1"},
		"count too large": {"{name: inet}", "{name: inet, count: 300}"},
		"negative":        {"l4: 1", "l4: -1"},
		"float":           {"l4: 1", "l4: 1.5"},
		"text for number": {"vni: 1001", "vni: many"},
		"missing":         {"vni: 1001, ", ""},
		"no clients":      {"  - {name: inet}", "  []"},
		"other word":      {"path: vpc", "path: cpv"},
		"no network":      {"10.20.1.0/24", "10.20.1.0"},
		"no unit":         {"    idc:", "    wires: {az1--az2: {delay: \"1\"}}\n    idc:"},
		"loss above 1":    {"    idc:", "    wires: {az1--az2: {loss: 1.1}}\n    idc:"},
		"unknown deed":    {"    idc:", "    wires: {az1--az2: {at: [{do: burn, frame: 1}]}}\n    idc:"},
		"list":            {"{members: {e1: az1}}", "{members: [az1]}"},
	} {
		src := strings.Replace(base, tt.from, tt.to, 1)
		if src == base {
			t.Fatalf("%s: %q is not in the base file", name, tt.from)
		}
		if _, err := Parse("f.yaml", []byte(src)); err == nil {
			t.Errorf("%s: the file loads", name)
		}
		if judge(t, src) == nil {
			t.Errorf("%s: the schema accepts it", name)
		}
	}
}
