package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The files of a run, beside those that a history saves.
const (
	RunFile      = "run.yaml"          // who ran what, where
	PlanFile     = "plan.yaml"         // the topology as it was planned
	ScenarioFile = "scenario.yaml"     // the scenario as it was read
	TopologyFile = "topology.yaml"     // its topology, when that is a file
	FactsFile    = "facts.json"        // what checks had to know
	ChecksFile   = "checks.json"       // what was judged
	VerdictFile  = "verdict.yaml"      // what came of it
	SealFile     = "seal.json"         // SHA-256 of the above
	UsageFile    = "usage.ndjson"      // what each process used, once a second
	LogsDir      = "logs"              // <node>/<process>.log
	WiresFile    = "pcap/wires.pcapng" // the end of what the wires carried
	EtcdDir      = "etcd"              // <region>.json: keys at the end
)

// DefaultRoot is where runs are kept when nobody says otherwise.
const DefaultRoot = "runs"

// latest is the name of the link to the newest run, in the root and in the folder
// of each name.
const latest = "latest"

// timeForm names a run by its start, to the second.
const timeForm = "2006-01-02T15-04-05"

// A Bundle is the directory of a run.
type Bundle struct{ Dir string }

// Create makes the directory of a run that begins, and points "latest" to it.
func Create(root, name string, start time.Time, seed uint64) (*Bundle, error) {
	folder := filepath.Join(root, name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of runs: %w", err)
	}
	base := start.UTC().Format(timeForm) + "-" + strconv.FormatUint(seed, 10)
	for n := 1; ; n++ {
		dir := filepath.Join(folder, base)
		if n > 1 {
			dir = fmt.Sprintf("%s.%d", dir, n) // two runs in one second
		}
		err := os.Mkdir(dir, 0o755)
		if errors.Is(err, fs.ErrExist) && n < 100 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("make directory of run: %w", err)
		}
		b := &Bundle{Dir: dir}
		point(filepath.Join(folder, latest), filepath.Base(dir))
		point(filepath.Join(root, latest), filepath.Join(name, filepath.Base(dir)))
		return b, nil
	}
}

// point makes a link, or moves it. A link that cannot be made is no loss: the
// run's path is printed.
func point(link, to string) {
	next := fmt.Sprintf("%s.%d", link, os.Getpid())
	if os.Symlink(to, next) == nil && os.Rename(next, link) != nil {
		_ = os.Remove(next)
	}
}

// A NotFound says that there is no such run, and which there are.
type NotFound struct {
	Name, Root string
	Known      []string
}

func (e *NotFound) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("no run %q: there are none in %s; see: lbsim run --help", e.Name, e.Root)
	}
	return fmt.Sprintf("no run %q in %s; the newest are: %s", e.Name, e.Root, strings.Join(e.Known, ", "))
}

// Find opens a run: by the path of its directory, as "latest", by a scenario's
// name (its newest run) or as "<name>/<time>-<seed>". The error is *NotFound, or
// *Damaged for the directory of a run that ended before anything was written.
func Find(root, name string) (*Bundle, error) {
	for _, dir := range []string{name, filepath.Join(root, name), filepath.Join(root, name, latest)} {
		if isRun(dir) {
			real, err := filepath.EvalSymlinks(dir)
			if err != nil {
				return nil, fmt.Errorf("open run: %w", err)
			}
			return &Bundle{Dir: real}, nil
		}
	}
	for _, dir := range []string{name, filepath.Join(root, name)} {
		if isStart.MatchString(filepath.Base(dir)) && isDir(dir) {
			return nil, &Damaged{Path: filepath.Join(dir, RunFile), Err: fs.ErrNotExist}
		}
	}
	return nil, &NotFound{Name: name, Root: root, Known: List(root, 5)}
}

// isStart knows the directory of a run by its name.
var isStart = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d+(\.\d+)?$`)

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// isRun tells the directory of a run by the file that is written first.
func isRun(dir string) bool {
	st, err := os.Stat(filepath.Join(dir, RunFile))
	return err == nil && st.Mode().IsRegular()
}

// List returns the runs below the root as "<name>/<time>-<seed>", the newest
// first, at most so many.
func List(root string, most int) []string {
	found, err := filepath.Glob(filepath.Join(root, "*", "*", RunFile))
	if err != nil {
		return nil // the pattern is well formed but for odd roots
	}
	var names []string
	for _, f := range found {
		rel, err := filepath.Rel(root, filepath.Dir(f))
		if err != nil || filepath.Base(rel) == latest || strings.HasPrefix(rel, latest) {
			continue
		}
		names = append(names, rel)
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(filepath.Base(b), filepath.Base(a)) })
	return names[:min(len(names), most)]
}

// Name is the run as "<name>/<time>-<seed>".
func (b *Bundle) Name() string {
	return filepath.Join(filepath.Base(filepath.Dir(b.Dir)), filepath.Base(b.Dir))
}

// Path is the path of a file of the run.
func (b *Bundle) Path(name ...string) string {
	return filepath.Join(append([]string{b.Dir}, name...)...)
}
