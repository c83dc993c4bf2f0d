package driver

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"github.com/unilb/unilb/conformance/model"
)

var update = flag.Bool("update", false, "rewrite testdata/*.golden")

func sampleModel(t *testing.T) *model.Model {
	t.Helper()
	a, err := txtar.ParseFile("testdata/objects.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var objects []model.Object
	for i, f := range a.Files {
		kind, id, _ := strings.Cut(f.Name, "/")
		o := model.Object{Kind: kind, ID: id, Body: f.Data, Created: int64(i + 2)}
		if err := o.Check(); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o)
	}
	m, err := model.Build(int64(len(objects)+1), objects)
	if err != nil {
		t.Fatal(err)
	}
	m, _ = m.In("/run/lab/l7-1")
	return m
}

// rendered is every file that a driver writes for the objects, as one text.
func rendered(t *testing.T, name string, m *model.Model) (string, error) {
	t.Helper()
	d, err := Load(os.DirFS("../drivers"), name+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Render(Vars{Binary: "/usr/sbin/" + name, Dir: "/run/lab/l7-1", Listen: []string{"10.101.4.3:80"}, ListenTLS: []string{"10.101.4.3:443"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Configure(m)
	if err != nil {
		return "", err
	}
	var out txtar.Archive
	for _, f := range r.Files {
		out.Files = append(out.Files, txtar.File{Name: f.Path, Data: []byte(f.Text)})
	}
	return string(txtar.Format(&out)), nil
}

func TestTemplatesExpressTheObjects(t *testing.T) {
	for _, name := range []string{"nginx", "haproxy"} {
		got, err := rendered(t, name, sampleModel(t))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatalf("%v; run go test ./conformance/driver -update", err)
		}
		if got != string(want) {
			t.Errorf("%s: the configuration is not %s; run go test ./conformance/driver -update and look at the difference; got:\n%s", name, golden, got)
		}
	}
}

func TestTemplateSaysWhatItCannotExpress(t *testing.T) {
	for what, c := range map[string]struct{ nginx, haproxy string }{
		"vars":                           {"knows no vars", "knows no vars"},
		"a plugin":                       {"knows no plugin proxy-rewrite", "knows no plugin proxy-rewrite"},
		"a global rule":                  {"no global rules", "no global rules"},
		"active health checks":           {"no active health checks", ""},
		"passive health checks":          {"no active health checks", "no passive health checks"},
		"the target's address as Host":   {"no Host by target", ""},
		"retries and timeouts":           {"", "no retry_timeout"},
		"fastest answers (ewma)":         {"no balancing by ewma", "no balancing by ewma"},
		"gRPC to the targets":            {"no scheme grpc", "no scheme grpc"},
		"client addresses":               {"no remote_addrs", "no remote_addrs"},
		"a star in the middle of a path": {"", ""},
		"consistent hashing by cookie":   {"", ""},
	} {
		for name, want := range map[string]string{"nginx": c.nginx, "haproxy": c.haproxy} {
			_, err := rendered(t, name, tryModel(t, what))
			var cannot *Inexpressible
			switch {
			case want == "" && err != nil:
				t.Errorf("%s, %s: %v", name, what, err)
			case want != "" && (!errors.As(err, &cannot) || !strings.Contains(err.Error(), want)):
				t.Errorf("%s, %s: got %v, want that it cannot be expressed: %q", name, what, err, want)
			}
		}
	}
}

func tryModel(t *testing.T, what string) *model.Model {
	t.Helper()
	for _, try := range model.Tries() {
		if try.What != what {
			continue
		}
		m, err := model.Build(1, try.Objects)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	t.Fatalf("no try %q", what)
	return nil
}

func static(replace ...string) string {
	return strings.NewReplacer(replace...).Replace(`driver: v1
name: gw
binary: gw
admin: {dialect: static}
config: [{file: gw.conf, template-file: gw.tmpl, check: {exec: ["{{.Binary}}", -t, "{{.New}}"]}}]
start: {exec: ["{{.Binary}}"]}
ready: {tcp: "{{index .Listen 0}}"}
applied: {probe: {over: 100ms}}
reload: {signal: HUP}
claims: [route.uri]
`)
}

func TestStaticManifestErrorsSayWhereAndWhat(t *testing.T) {
	for name, c := range map[string]struct{ text, tmpl, want string }{
		"good":               {static(), "{{range .Rules}}{{.Host.Pattern}} {{.Route.Upstream.Name}}{{end}}", ""},
		"claims the testbed": {static("[route.uri]", "[route.uri, admin.crud]"), "", `gw.yaml:10:21: claims: "admin.crud": in dialect static the testbed itself does that`},
		"claims the model":   {static("[route.uri]", "[route.references]"), "", `claims: "route.references": in dialect static the testbed itself does that`},
		"dialect":            {static("static", "statik"), "", `gw.yaml:4:18: admin.dialect: want apisix-3 or static, got "statik" (did you mean "static"?)`},
		"no reload":          {static("reload: {signal: HUP}\n", ""), "", "reload: dialect static needs a way to reload; add reload: {signal: HUP}"},
		"no file":            {static("config: ", "# config: "), "", "config: dialect static needs a file to render"},
		"revision":           {static("{probe: {over: 100ms}}", `{http: "http://x/{{.Revision}}"}`), "", "applied.http: a gateway that reads files knows no revision"},
		"an API of its own":  {static("{dialect: static}", "{dialect: static, url: http://x}"), "", "admin.url: in dialect static the testbed keeps the objects"},
		"file outside":       {static("gw.conf", "../gw.conf"), "", `config[0].file: "../gw.conf" is not below`},
		"no template":        {static("template-file: gw.tmpl, ", ""), "", "gw.yaml:5:10: config[0]: want either template or template-file"},
		"missing template":   {static("gw.tmpl", "other.tmpl"), "", "gw.yaml:5:41: config[0].template-file: open d/other.tmpl: file does not exist"},
		"bad template":       {static(), "{{range}}", "gw.yaml:5:41: gw.tmpl: "},
		"misspelled":         {static(), "{{range .Rules}}{{.Hots}}{{end}}", "can't evaluate field Hots"},
		"refuses everything": {static(), `{{range .Rules}}{{fail "no %s" .Route.Name}}{{end}}`, "gw.tmpl: no routes.hello"},
		"config for others":  {static("admin: {dialect: static}\n", ""), "", "config: the testbed renders objects for dialect static only"},
		"check variable":     {static("{{.New}}", "{{.Neu}}"), "", "gw.yaml:5:84: config[0].check.exec[2]"},
		"negative time":      {static("100ms", "-1s"), "", "applied.probe.over"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Load(fstest.MapFS{"d/gw.yaml": {Data: []byte(c.text)}, "d/gw.tmpl": {Data: []byte(c.tmpl)}}, "d/gw.yaml")
			if (m == nil) == (err == nil) || c.want == "" && err != nil || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestProgramIsFoundInPathOrSaidToBeMissing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	program := filepath.Join(dir, "gw-of-this-test")
	m, err := Decode("gw.yaml", []byte(static("template-file: gw.tmpl", "template: x", "binary: gw", "binary: gw-of-this-test\ninstall: apt-get install gw")))
	if err != nil {
		t.Fatal(err)
	}
	var none *NotInstalled
	if _, err := m.Locate("/bin", ""); !errors.As(err, &none) || !strings.Contains(err.Error(), "gw-of-this-test is not on this machine; apt-get install gw") {
		t.Errorf("got %v, want that it is not installed, and the remedy", err)
	}
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Locate("/bin", ""); got != program || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, program)
	}
	if _, err := m.Locate("/bin", filepath.Join(dir, "other")); errors.As(err, &none) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a given program that is not there: got %v", err)
	}
	if err := os.Chmod(program, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Locate("/bin", program); err == nil || errors.As(err, &none) {
		t.Errorf("a file that cannot be executed: got %v", err)
	}
}

func TestTemplateToStartFromIsAGoodManifest(t *testing.T) {
	m, err := Decode("template.yaml", []byte(Template))
	if err != nil {
		t.Fatal(err)
	}
	files, err := m.SampleFiles()
	if err != nil || len(files.Files) != 1 || !strings.Contains(files.Files[0].Text, "rule hello.example / routes.hello") {
		t.Errorf("got %+v, %v", files, err)
	}
	answers, err := m.Expresses()
	if err != nil || len(answers) < 20 || answers[0].Err != nil {
		t.Errorf("got %d answers, the first %v, %v", len(answers), answers[0].Err, err)
	}
}
