//go:build netns

package drivers_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/labenv"
	"github.com/unilb/unilb/conformance/model"
	"github.com/unilb/unilb/sim/pki"
	"github.com/unilb/unilb/sim/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// require skips the test where the gateway's program is not installed, and fails
// it where LBSIM_REQUIRE names the gateway.
func require(t *testing.T, name string) (bin string) {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS)
	if bin = os.Getenv("UNILB_BIN"); bin == "" {
		sandbox.Need(t, name, errors.New("UNILB_BIN does not say where the testbed's binaries are: make test-net"))
	}
	_, _, err := labenv.DriverFile(name, "", bin)
	var none *driver.NotInstalled
	if err != nil && !errors.As(err, &none) {
		t.Fatal(err)
	}
	sandbox.Need(t, name, err)
	return bin
}

// try goes through the trial of a driver and returns its steps; program, if given,
// takes the place of the manifest's.
func try(t *testing.T, name, program, bin string) ([]labenv.TrialStep, error) {
	t.Helper()
	var steps []labenv.TrialStep
	err := labenv.Try(t.Context(), labenv.TrialOptions{
		Gateway: name, Binary: program, BinDir: bin, Topology: "pair", Dir: t.TempDir(),
		OnStep: func(s labenv.TrialStep) {
			t.Logf("%s %v: %s", s.Name, s.Took, s.Says)
			steps = append(steps, s)
		},
	})
	return steps, err
}

func TestInstalledGatewaysGoThroughTheirTrial(t *testing.T) {
	for _, name := range []string{"l7gw", "nginx", "haproxy"} {
		t.Run(name, func(t *testing.T) {
			steps, err := try(t, name, "", require(t, name))
			if err != nil {
				t.Fatal(err)
			}
			last := steps[len(steps)-1]
			if len(steps) != 9 || last.Name != "drain" || !strings.Contains(last.Says, "got 200") {
				t.Errorf("got %d steps, the last %+v; want 9, and a drain that finishes the request under way", len(steps), last)
			}
		})
	}
}

func TestForeignGatewayIsBroughtInByItsManifestAlone(t *testing.T) {
	bin, program := require(t, "l7gw"), filepath.Join(t.TempDir(), "foreign")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../examples/foreign").CombinedOutput(); err != nil {
		t.Fatalf("build it: %v: %s", err, out)
	}
	steps, err := try(t, "../../examples/foreign/foreign.yaml", program, bin)
	if err != nil || len(steps) != 9 {
		t.Errorf("got %d steps, %v; want 9", len(steps), err)
	}
}

func TestConfigurationThatTheGatewayRefusesIsSaidInItsWords(t *testing.T) {
	bin := require(t, "nginx")
	for name, c := range map[string]struct{ from, to, want string }{
		"by its check":    {"worker_processes 2;", `worker_processes {{if .Rules}}many{{else}}2{{end}};`, `"worker_processes" directive invalid value`},
		"by the template": {"daemon off;", `daemon off;{{range .Rules}}{{if eq .Route.Name "routes.trial"}}{{fail "not %s" .Route.Name}}{{end}}{{end}}`, "not routes.trial"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, edit := range map[string]*strings.Replacer{
				"nginx.yaml": strings.NewReplacer(), "nginx.routes.tmpl": strings.NewReplacer(), "nginx.conf.tmpl": strings.NewReplacer(c.from, c.to),
			} {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, file), []byte(edit.Replace(string(text))), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			steps, err := try(t, filepath.Join(dir, "nginx.yaml"), "", bin)
			if len(steps) == 0 {
				t.Fatal(err)
			}
			last := steps[len(steps)-1]
			if err == nil || last.Name != "route" || last.OK || !strings.Contains(last.Says, "does not take the configuration") || !strings.Contains(last.Says, c.want) {
				t.Errorf("got %v after %+v, want that the route is refused with %q", err, last, c.want)
			}
		})
	}
}

// TestGatewaysAcceptWhatTheGoldensHold renders the objects of the goldens, with a
// certificate that is one, and has the gateways' own checks look at it.
func TestGatewaysAcceptWhatTheGoldensHold(t *testing.T) {
	for _, name := range []string{"nginx", "haproxy"} {
		t.Run(name, func(t *testing.T) {
			bin := require(t, name)
			d, program, err := labenv.DriverFile(name, "", bin)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			p, err := d.Render(driver.Vars{Binary: program, Dir: dir, Listen: []string{"127.0.0.1:18080"}, ListenTLS: []string{"127.0.0.1:18443"}})
			if err != nil {
				t.Fatal(err)
			}
			m, files := goldenObjects(t).In(dir)
			rendered, err := p.Configure(m)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range rendered.Files {
				files[f.Path] = f.Text
			}
			for path, text := range files {
				path = filepath.Join(dir, path)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			checked := 0
			for _, f := range rendered.Files {
				argv, err := f.CheckArgv(filepath.Join(dir, f.Path))
				if err != nil {
					t.Fatal(err)
				}
				if len(argv) == 0 {
					continue
				}
				checked++
				if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
					t.Errorf("%s: %v: %s", argv, err, out)
				}
			}
			if checked == 0 {
				t.Error("no file has a check")
			}
		})
	}
}

func goldenObjects(t *testing.T) *model.Model {
	t.Helper()
	a, err := txtar.ParseFile("../driver/testdata/objects.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var objects []model.Object
	for i, f := range a.Files {
		kind, id, _ := strings.Cut(f.Name, "/")
		if kind == model.SSLs {
			f.Data = certificate(t)
		}
		objects = append(objects, model.Object{Kind: kind, ID: id, Body: f.Data, Created: int64(i)})
	}
	m, err := model.Build(1, objects)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// certificate is an ssl object that a TLS library takes.
func certificate(t *testing.T) []byte {
	t.Helper()
	p, err := pki.SelfSigned("shop.example", "*.shop.example")
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"snis": []string{"shop.example", "*.shop.example"}, "cert": p.Cert, "key": p.Key})
	if err != nil {
		t.Fatal(err)
	}
	return body
}
