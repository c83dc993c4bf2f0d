package driver

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Times that hold when a manifest names none.
const (
	DefaultReadyWithin = 20 * time.Second
	DefaultDrainWithin = 30 * time.Second
	DefaultConsecutive = 20
)

// A Process is a manifest rendered for one node: everything a testbed needs to
// start the gateway and to talk about it.
type Process struct {
	Name   string            // of the gateway
	Binary string            // path of the file whose digest identifies the build
	Argv   []string          // the first element is a path
	Env    map[string]string // in addition to what the testbed sets
	Files  map[string]string // relative to Dir; written before the start
	Dir    string
	User   string

	Notify bool   // readiness by sd_notify
	Probe  string // or by a URL that answers 200
	Dial   string // or by an "address:port" that takes connections
	Within time.Duration

	AdminURL, AdminKey, ViewerKey string
	ControlURL                    string // empty: there is none
	StatusURL                     string // empty: there is none

	DrainSignal  string // without "SIG"
	DrainWithin  time.Duration
	ReloadSignal string
	ReloadArgv   []string
	IdentifyArgv []string

	RestartSignal string // without "SIG"; empty: it cannot be replaced

	manifest *Manifest
	vars     Vars
}

// Render fills the manifest's templates for one node, those of Config excepted
// (see Process.Configure). Where the variables name no program it is the
// manifest's, as it stands there.
func (m *Manifest) Render(v Vars) (*Process, error) {
	p := &Process{
		Name: m.Name, Dir: v.Dir, User: m.Start.User, Env: map[string]string{}, Files: map[string]string{},
		Notify: m.Ready.Notify, Within: cmp.Or(m.Ready.Within, DefaultReadyWithin),
		DrainSignal: cmp.Or(m.Drain.Signal, "TERM"), DrainWithin: cmp.Or(m.Drain.Within, DefaultDrainWithin), ReloadSignal: m.Reload.Signal, RestartSignal: m.Restart.Signal,
		manifest: m, vars: v,
	}
	var errs []error
	one := func(key, text string) string {
		s, err := expand(key, text, v)
		errs = append(errs, err)
		return strings.TrimSpace(s)
	}
	if v.Binary == "" {
		v.Binary = one("binary", m.Binary)
		p.vars.Binary = v.Binary
	}
	p.Binary = v.Binary
	p.Probe, p.Dial = one("ready.http", m.Ready.HTTP), one("ready.tcp", m.Ready.TCP)
	p.AdminURL, p.AdminKey = one("admin.url", m.Admin.URL), one("admin.key", m.Admin.Key)
	p.ViewerKey = one("admin.viewer-key", m.Admin.ViewerKey)
	p.ControlURL = one("control", m.Control)
	p.StatusURL = one("status", m.Status)
	if p.AdminURL == "" {
		p.AdminURL, p.AdminKey, p.ViewerKey = v.AdminURL, v.AdminKey, v.ViewerKey
	}
	for key, list := range map[string]struct {
		from []string
		to   *[]string
	}{
		"start.exec": {m.Start.Exec, &p.Argv}, "reload.exec": {m.Reload.Exec, &p.ReloadArgv}, "identify.exec": {m.Identify.Exec, &p.IdentifyArgv},
	} {
		args, err := argv(key, list.from, v)
		errs = append(errs, err)
		*list.to = args
	}
	for _, k := range slices.Sorted(maps.Keys(m.Start.Env)) {
		p.Env[k] = one("start.env."+k, m.Start.Env[k])
	}
	for _, k := range slices.Sorted(maps.Keys(m.Files)) {
		s, err := expand("files."+k, m.Files[k], v)
		errs = append(errs, err)
		p.Files[k] = s
	}
	if _, err := p.AppliedURL(1); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(p.Argv) == 0 {
		return nil, fmt.Errorf("start.exec: nothing is left after rendering")
	}
	return p, nil
}

// AppliedURL is the URL that answers 200 once the revision is in force; empty
// when the gateway cannot say and a probe must do.
func (p *Process) AppliedURL(rev int64) (string, error) {
	v := p.vars
	v.Revision = rev
	s, err := expand("applied.http", p.manifest.Applied.HTTP, v)
	return strings.TrimSpace(s), err
}

// Consecutive is how many answers in a row must show a marker.
func (m *Manifest) Consecutive() int {
	if m.Applied.Probe == nil || m.Applied.Probe.Consecutive == 0 {
		return DefaultConsecutive
	}
	return m.Applied.Probe.Consecutive
}

// Over is the time that those answers must span; 0: none.
func (m *Manifest) Over() time.Duration {
	if m.Applied.Probe == nil {
		return 0
	}
	return m.Applied.Probe.Over
}

// argv renders arguments: each line of a rendered element is one argument and
// empty lines are none.
func argv(key string, texts []string, v Vars) ([]string, error) {
	var args []string
	for i, text := range texts {
		s, err := expand(fmt.Sprintf("%s[%d]", key, i), text, v)
		if err != nil {
			return nil, err
		}
		for line := range strings.SplitSeq(s, "\n") {
			if line != "" {
				args = append(args, line)
			}
		}
	}
	return args, nil
}
