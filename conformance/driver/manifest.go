package driver

import (
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// A Manifest is a decoded driver file. Strings marked (template) are
// text/template over Vars.
type Manifest struct {
	Driver   string            `yaml:"driver"`   // "v1"
	Name     string            `yaml:"name"`     // of the gateway
	Binary   string            `yaml:"binary"`   // file whose digest identifies the build (template)
	Identify Identify          `yaml:"identify"` // how to ask for the version
	Files    map[string]string `yaml:"files"`    // file below the process's directory: content (template)
	Start    Start             `yaml:"start"`
	Ready    Ready             `yaml:"ready"`
	Admin    Admin             `yaml:"admin"`
	Applied  Applied           `yaml:"applied"`
	Drain    Drain             `yaml:"drain"`
	Reload   Reload            `yaml:"reload"`
	Claims   []spec.Feature    `yaml:"claims"`
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

// Ready is how one knows that the gateway serves. Exactly one of Notify and
// HTTP is set.
type Ready struct {
	Notify bool          `yaml:"notify"` // sd_notify READY=1
	HTTP   string        `yaml:"http"`   // URL that answers 200 (template)
	Within time.Duration `yaml:"within"` // 20s when 0
}

// Admin is the Admin API through which cases configure the gateway. An empty
// URL means the one of the region.
type Admin struct {
	URL string `yaml:"url"` // (template)
	Key string `yaml:"key"` // (template)
}

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

// Vars are what templates may use.
type Vars struct {
	Bin      string   // directory of binaries
	Dir      string   // the process's own directory
	Node     string   // "bj/az1/l7-1"
	Zone     string   //
	Region   string   //
	Etcd     []string // client URLs
	Prefix   string   // "/apisix"
	Listen   []string // "address:port" that clients may dial, plain HTTP
	Underlay string   // the node's address
	Member   string   // the node's member address; empty behind no L4
	AdminURL string   // the region's Admin API, up to and including /apisix/admin
	AdminKey string   //
	Revision int64    // in Applied.HTTP only
}
