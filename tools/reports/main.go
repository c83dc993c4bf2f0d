// Command reports keeps the published reports under conformance/reports. With
// --from it publishes the reports of a directory (of make conformance-all), each
// as conformance/reports/<gateway>/<release>/report.yaml, byte for byte, with a
// README that says how to make it again; with --check it says what is wrong with
// those that are there. Run it in the root of the repository.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	from := flag.String("from", "", "directory with a report in each of its folders: publish them")
	check := flag.Bool("check", false, "only look at what is published")
	flag.Parse()
	if err := run(*from, *check); err != nil {
		fmt.Fprintln(os.Stderr, "reports:", err)
		os.Exit(1)
	}
}

func run(from string, check bool) error {
	switch {
	case check == (from != ""):
		return errors.New("want either --check or --from DIR")
	case check:
		return verify(os.DirFS("."))
	}
	return publish(from, dir)
}
