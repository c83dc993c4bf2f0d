package main

import (
	"flag"
	"fmt"
	"net/netip"
	"strings"

	"github.com/unilb/unilb/impl/expr"
	"github.com/unilb/unilb/impl/proxy"
)

// peerFlags are about proxies before the gateway. The defaults are those of APISIX.
func peerFlags(f *flag.FlagSet, p *proxy.Peers) {
	p.RealIPFrom = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	f.Func("trusted-addresses", "`networks` of proxies before the gateway, comma-separated, whose X-Forwarded-* and Forwarded targets are passed; X-Forwarded-For of others is dropped then; empty: none, and it is appended to (default empty)", func(s string) (err error) {
		p.Trusted, err = networks(s)
		return err
	})
	f.Func("real-ip-from", "`networks` of proxies before the gateway, comma-separated, that say who their client is; empty: none (default 127.0.0.1)", func(s string) (err error) {
		p.RealIPFrom, err = networks(s)
		return err
	})
	f.StringVar(&p.RealIPHeader, "real-ip-header", "X-Real-IP", "`field` in which they say it; of several addresses the last counts")
}

// networks reads addresses and networks, separated by commas.
func networks(text string) (list []netip.Prefix, err error) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		n, err := expr.ParseNet(part)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network", part)
		}
		list = append(list, n)
	}
	return list, nil
}
