package labenv

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/conformance/driver"
)

// fakeScenarios is a program that speaks as compiled scenarios do: one always
// passes, one fails with a bad gateway, one fails in the first of three runs.
const fakeScenarios = `#!/bin/sh
focus=
for a in "$@"; do
  case $a in
  --ginkgo.json-report=*) report=${a#*=} ;;
  --ginkgo.focus=*) focus=${a#*=} ;;
  --ginkgo.dry-run) dry=1 ;;
  esac
done
spec() {
  [ -z "$focus" ] || [ "$focus" = "$1\$" ] && printf '%s{"LeafNodeType":"It","LeafNodeText":"%s","State":"%s","Failure":{"Message":"%s"}}' "$sep" "$1" "$2" "$3" && sep=,
}
echo "$UNILB_BIN $focus" >>"$LOG"
steady=passed bad=passed flaky=passed
if [ -z "$dry" ]; then
  [ "$(cat "$UNILB_BIN/l7gw")" = bad ] && bad=failed
  [ "$(cat "$UNILB_BIN/unilb-etcd")" = there ] || steady=failed
  case $focus in flaky*) [ $(($(grep -c flaky "$LOG") % 3)) = 1 ] && flaky=failed ;; esac
fi
{ printf '[{"SuiteDescription":"S","SuiteSucceeded":true,"SpecReports":['; spec steady $steady; spec bad $bad "it is bad"; spec flaky $flaky now-and-then; printf ']}]'; } >"$report"
`

func TestScenariosRunInTurnWithTheGatewayOfTheirSide(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("LOG", filepath.Join(dir, "log"))
	for name, text := range map[string]string{"bin/unilb-etcd": "there", "bin/l7gw": "neither", "good": "good", "bad": "bad", "scenarios.test": fakeScenarios} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	d := &duel{c: &compare.Comparison{}}
	d.o.Scenarios, d.o.BinDir, d.o.Out = filepath.Join(dir, "scenarios.test"), filepath.Join(dir, "bin"), filepath.Join(dir, "out")
	for i, name := range []string{"good", "bad"} {
		o := Options{Out: filepath.Join(dir, "out", name), Binary: filepath.Join(dir, name), Stderr: &said}
		d.sides[i] = &judgement{name: name, o: o, m: &driver.Manifest{Name: "l7gw"}}
	}
	if err := d.o.checkScenarios(d.sides); err != nil {
		t.Fatal(err)
	}
	d.scenarios(t.Context())
	var got []string
	for _, x := range d.c.Differences {
		got = append(got, fmt.Sprintf("%s %s: %s", x.Kind, strings.Join(x.Cases, " "), x.Text()))
	}
	want := "regressed bad: pass -> fail; unsteady flaky: fail 2, pass 1 -> pass"
	if strings.Join(got, "; ") != want || d.c.Scenarios != 3 || len(d.c.Problems) > 0 {
		t.Errorf("got %q of %d scenarios, problems %q, want %s\n%s", got, d.c.Scenarios, d.c.Problems, want, said.String())
	}
	if _, err := os.Stat(d.sides[0].binDir()); err == nil {
		t.Error("its links are left")
	}
	d.sides[1].m = &driver.Manifest{Name: "nginx"}
	if err := d.o.checkScenarios(d.sides); err == nil || !strings.Contains(err.Error(), "l7gw only") {
		t.Errorf("scenarios with another gateway: got %v", err)
	}
}
