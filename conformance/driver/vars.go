package driver

import "github.com/unilb/unilb/conformance/model"

// Vars are what templates may use.
type Vars struct {
	Bin       string   // directory of the testbed's binaries
	Binary    string   // the gateway's program, as an absolute path
	Dir       string   // the process's own directory
	Node      string   // "bj/az1/l7-1"
	Zone      string   //
	Region    string   //
	Etcd      []string // client URLs
	Prefix    string   // "/apisix"
	Listen    []string // "address:port" that clients may dial, plain HTTP
	ListenTLS []string // "address:port" that clients may dial, TLS; empty unless the manifest says listen-tls
	Underlay  string   // the node's address
	Proxies   []string // addresses of clients that stand for proxies before the gateway; empty where there is one client
	Member    string   // the node's member address; empty behind no L4
	AdminURL  string   // the region's Admin API, up to and including /apisix/admin
	AdminKey  string   //
	ViewerKey string   // a key of it that may only read
	Revision  int64    // in Applied.HTTP only
	New       string   // in Check.Exec only: the new file
}

// ConfigVars are what the templates of Manifest.Config may use: all of Vars, and
// the objects.
type ConfigVars struct {
	Vars
	*model.Model
	Revision int64 // of the objects
}

// Sample are variables of a node that does not exist: templates are tried with them
// when a manifest is read, and programs asked who they are.
func Sample() Vars {
	return Vars{
		Bin: "/bin", Binary: "/bin/gateway", Dir: "/run/x", Node: "r/z/n", Zone: "z", Region: "r", Etcd: []string{"http://192.0.2.1:2379"}, Prefix: "/apisix",
		Listen: []string{"192.0.2.1:80"}, ListenTLS: []string{"192.0.2.1:443"}, Underlay: "192.0.2.1", Member: "192.0.2.2", Proxies: []string{"192.0.2.4"},
		AdminURL: "http://192.0.2.3:9180/apisix/admin", AdminKey: "k", ViewerKey: "v", New: "/run/x/new",
	}
}
