package main

// Module is the import path of the module whose arrows are kept.
const Module = "github.com/unilb/unilb"

// A Rule forbids imports. Patterns are import paths; a pattern of this module
// is written without the module's path; "/..." at the end includes everything
// below.
type Rule struct {
	From   []string // importing packages; nil means every package
	Not    []string // packages of From to which the rule does not apply
	Forbid []string // what they may not import
	Allow  []string // exceptions to Forbid
	Tests  Scope    // whether test files are held to the rule
	Why    string
}

// A Scope says how a rule treats test code: _test.go files and packages whose
// last path element ends in "test".
type Scope int

// The scopes. The zero value is the strict one.
const (
	TestsToo Scope = iota
	ProductOnly
	TestsOnly
)

// Rules is the table of forbidden arrows.
var Rules = []Rule{
	{
		From: []string{"impl/..."}, Forbid: []string{"topology/...", "sim/...", "conformance/...", "scenarios/..."},
		Tests: ProductOnly,
		Why:   "the product must not know the testbed that judges it",
	},
	{
		From: []string{"impl/..."}, Forbid: []string{"topology/...", "sim/...", "conformance/...", "scenarios/..."},
		Allow: []string{"sim/netns", "sim/sandbox", "sim/link"},
		Tests: TestsOnly,
		Why:   "tests of the forwarding planes need namespaces and links, and nothing else of the testbed",
	},
	{
		From: []string{"topology/...", "sim/...", "conformance/...", "scenarios/...", "cmd/lbsim"}, Forbid: []string{"impl/..."},
		Why: "the testbed judges binaries: a wrong JSON tag in impl must not be wrong on both sides",
	},
	{
		From:   []string{"impl/apisix", "impl/apisix/plugin", "impl/vpc", "impl/config", "impl/route", "impl/expr", "impl/balance", "impl/certs", "topology/..."},
		Forbid: []string{"net/http", "os", "log", "log/slog", "net/rpc", "os/exec"},
		Tests:  ProductOnly,
		Why:    "values in, values out: these packages are pure",
	},
	{
		Not: []string{"sim/netns"}, Forbid: []string{"github.com/vishvananda/netns", "github.com/containernetworking/plugins/..."},
		Why: "switching a thread's namespace is safe in one place only",
	},
	{
		Not:    []string{"sim/link", "impl/agent", "impl/l4", "impl/fnat", "tools/soak"}, // tools/soak: what belongs to others
		Forbid: []string{"github.com/vishvananda/netlink", "github.com/google/nftables/..."},
		Why:    "the kernel's network state has few owners",
	},
	{
		Not: []string{"impl/fnat/...", "impl/l4/...", "sim/bpf", "tools/soak"}, Forbid: []string{"github.com/cilium/ebpf/..."},
		Why: "programs and maps are owned by the forwarding planes; the testbed only probes and counts",
	},
	{
		Not: []string{"sim/disk"}, Forbid: []string{"github.com/hanwen/go-fuse/..."},
		Why: "a process that touches a file system which it serves itself waits for itself",
	},
	{
		Not: []string{"scenarios/..."}, Forbid: []string{"testing", "github.com/onsi/..."},
		Tests: ProductOnly,
		Why:   "test frameworks stay in tests, so that everything else can be used from a command",
	},
	{
		From: []string{"sim/history", "sim/check", "sim/http1", "sim/traffic", "sim/echo", "sim/admin", "sim/etcd"}, Forbid: []string{"sim/lab", "sim/netns", "sim/link", "sim/proc", "sim/sandbox"},
		Why: "the same evidence and checks judge a gateway in a lab or across a plain network",
	},
	{
		From:   []string{"impl/exchange/...", "impl/proxy/...", "impl/route", "impl/balance", "impl/plugin/...", "impl/engine/..."},
		Not:    []string{"impl/engine/std"},
		Forbid: []string{"net/http/..."},
		Tests:  ProductOnly,
		Why:    "the pipeline is engine-neutral; only the library engine speaks net/http",
	},
	{
		From: []string{"impl/exchange/...", "impl/engine/..."}, Forbid: []string{"impl/vars/..."},
		Why: "an exchange is one request and its answer; what conditions read out of it is built on it, and engines ask for none of that",
	},
	{
		Not: []string{"impl/vars/content"}, Forbid: []string{"github.com/vektah/gqlparser/..."},
		Why: "one package reads GraphQL, so that only who has variables links the parser",
	},
	{
		Not: []string{"cmd/unilb-etcd"}, Forbid: []string{"go.etcd.io/etcd/server/..."},
		Tests: ProductOnly,
		Why:   "one command embeds the server; everybody else is its client",
	},
	{
		From: []string{"topology/...", "sim/..."}, Forbid: []string{"conformance/...", "scenarios/..."},
		Tests: ProductOnly,
		Why:   "suites and incidents are built on the testbed, never below it",
	},
	{Forbid: []string{"cmd/..."}, Why: "commands hold wiring, no logic that somebody could import"},
	{
		From: []string{"conformance/spec"}, Forbid: []string{"conformance/..."},
		Why: "closed dependency order: cases and results know neither drivers nor suites",
	},
	{
		From: []string{"conformance/model"}, Forbid: []string{"conformance/...", "sim/...", "topology/...", "net/http", "os", "os/exec"},
		Tests: ProductOnly,
		Why:   "what templates see is a function of the objects alone",
	},
	{
		From: []string{"conformance/driver", "conformance/report"}, Forbid: []string{"conformance/..."}, Allow: []string{"conformance/spec", "conformance/casedoc", "conformance/model"},
		Why: "closed dependency order: driver and report never import their caller",
	},
	{
		From: []string{"conformance/casedoc"}, Forbid: []string{"conformance/..."}, Allow: []string{"conformance/spec"},
		Why: "reports show pages of cases without knowing the cases",
	},
	{
		Not:    []string{"sim/wire", "sim/sandbox", "impl/exchange/...", "impl/engine/h1", "impl/engine/loop", "impl/fnat/...", "impl/l4/...", "impl/apisix"},
		Forbid: []string{"unsafe"},
		Why:    "only kernel interfaces, views into an exchange's buffers and the texts that objects share with their bytes need unsafe",
	},
}

// A CallRule forbids the use of package-level names of other packages.
type CallRule struct {
	From  []string
	Names []string // "time.Now"
	Tests Scope
	Why   string
}

// Calls is the table of forbidden names.
var Calls = []CallRule{
	{
		From:  []string{"impl/apisix", "impl/apisix/plugin", "impl/vpc", "impl/config", "impl/route", "impl/expr", "impl/balance", "impl/certs", "topology/..."},
		Names: []string{"time.Now", "time.Sleep", "time.After", "time.NewTimer", "time.NewTicker", "net.Dial", "net.Listen"},
		Tests: ProductOnly,
		Why:   "pure packages take the time as a value",
	},
	{
		From:  []string{"impl/...", "sim/...", "conformance/...", "scenarios/...", "topology/...", "tools/..."},
		Names: []string{"time.Sleep"},
		Tests: TestsOnly,
		Why:   "tests wait for a revision, an event or an answer, never for time",
	},
}
