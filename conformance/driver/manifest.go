package driver

import (
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// A Manifest is a decoded driver file. Strings marked (template) are
// text/template over Vars.
type Manifest struct {
	Driver    string            `yaml:"driver"`     // "v1"
	Name      string            `yaml:"name"`       // of the gateway
	Binary    string            `yaml:"binary"`     // the program: its digest identifies the build (template); see Locate
	Install   string            `yaml:"install"`    // what to do where the program is not installed
	Untried   string            `yaml:"untried"`    // why nobody has tried this manifest yet; empty: somebody has
	Topology  string            `yaml:"topology"`   // of the library, taken when none is asked for; empty: the largest that the machine can run
	ListenTLS bool              `yaml:"listen-tls"` // the gateway listens on .ListenTLS
	Identify  Identify          `yaml:"identify"`   // how to ask for the version
	Files     map[string]string `yaml:"files"`      // file below the process's directory: content (template)
	Config    []ConfigFile      `yaml:"config"`     // of dialect static only
	Start     Start             `yaml:"start"`
	Ready     Ready             `yaml:"ready"`
	Admin     Admin             `yaml:"admin"`
	Control   string            `yaml:"control"` // URL of the gateway's control API, without /v1; empty: it has none (template)
	Status    string            `yaml:"status"`  // URL of its status listener, without a path; empty: it has none that is like ours (template)
	Applied   Applied           `yaml:"applied"`
	Drain     Drain             `yaml:"drain"`
	Reload    Reload            `yaml:"reload"`
	Restart   Restart           `yaml:"restart"`
	Claims    []spec.Feature    `yaml:"claims"`
}

// A ConfigFile is a file that holds the configuration of a gateway without an
// Admin API. Exactly one of Template and TemplateFile is set; they are
// text/template over ConfigVars. The file is replaced, in one step and after the
// check, at each change of the objects; then the gateway is told to reload.
type ConfigFile struct {
	File         string `yaml:"file"` // below the process's directory
	Template     string `yaml:"template"`
	TemplateFile string `yaml:"template-file"` // beside the manifest; Template holds its content once loaded
	Check        Check  `yaml:"check"`
}

// Check is the command that says whether a configuration is one, by its exit
// code. It runs on the gateway's node; .New is the file to look at. Empty: the
// gateway has none.
type Check struct {
	Exec []string `yaml:"exec"` // (template)
}

// Identify asks a build who it is. Output must match the pattern.
type Identify struct {
	Exec  []string `yaml:"exec"`  // (template); empty: the digest of the binary must do
	Match string   `yaml:"match"` // regular expression; its first group, if any, is the version
}

// Start is the command. Each line of a rendered argument is one argument and
// empty lines are none, so that a range over a list gives several.
type Start struct {
	Exec []string          `yaml:"exec"` // (template)
	Env  map[string]string `yaml:"env"`  // (template)
	User string            `yaml:"user"` // empty: the testbed's own
}

// Ready is how one knows that the gateway serves. Exactly one of Notify, HTTP and
// TCP is set.
type Ready struct {
	Notify bool          `yaml:"notify"` // sd_notify READY=1
	HTTP   string        `yaml:"http"`   // URL that answers 200 (template)
	TCP    string        `yaml:"tcp"`    // "address:port" that takes connections (template)
	Within time.Duration `yaml:"within"` // 20s when 0
}

// Admin is the Admin API through which cases configure the gateway. An empty
// URL means the one of the region.
type Admin struct {
	Dialect string `yaml:"dialect"` // DialectAPISIX when empty
	URL     string `yaml:"url"`     // (template)
	Key     string `yaml:"key"`     // (template)
	// ViewerKey is a key that may only read (template).
	ViewerKey string `yaml:"viewer-key"`
	// Args are further arguments of the region's l7admin, for what the gateway needs
	// that it does not do by itself.
	Args []string `yaml:"args"`
}

// The dialects.
const (
	// DialectAPISIX: the gateway takes its configuration from an APISIX Admin API,
	// its own or the region's.
	DialectAPISIX = "apisix-3"
	// DialectStatic: the gateway reads files. The testbed keeps the objects, renders
	// them through the templates of Config and has the gateway reload.
	DialectStatic = "static"
)

// Applied is how one knows that a configuration is in force. Exactly one of
// HTTP and Probe is set.
type Applied struct {
	HTTP  string `yaml:"http"` // URL that answers 200 once .Revision is in force (template)
	Probe *Probe `yaml:"probe"`
}

// Probe is the portable watermark for gateways that cannot say what they have
// in force: a marker route is written after the real objects, and polled over
// fresh connections until Consecutive answers in a row show it. Several workers
// synchronise separately, so one answer is luck.
type Probe struct {
	Consecutive int `yaml:"consecutive"` // 20 when 0
	// Over is the time that the answers must span: longer than old workers go on
	// taking connections after a reload.
	Over time.Duration `yaml:"over"`
}

// Drain is how the gateway is told to finish its work and end.
type Drain struct {
	Signal string        `yaml:"signal"` // TERM when empty
	Within time.Duration `yaml:"within"` // 30s when 0
}

// Reload is how the gateway is told to reload. Both empty: it has no reload.
type Reload struct {
	Signal string   `yaml:"signal"`
	Exec   []string `yaml:"exec"` // (template)
}

// Restart is how the gateway is told to have a new process of its program take its
// place without a gap. It says by sd_notify, with MAINPID, when that has happened.
// Empty: it has no such thing.
type Restart struct {
	Signal string `yaml:"signal"`
}

// Static says whether the testbed keeps the objects and renders them to files.
func (m *Manifest) Static() bool { return m.Admin.Dialect == DialectStatic }
