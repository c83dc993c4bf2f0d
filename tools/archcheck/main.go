// Command archcheck keeps the arrows between packages. It reads every Go file
// of the module, test files and every build tag included, and reports imports
// and calls that the table in rules.go forbids, and packages without exactly
// one package comment. It never changes a file.
package main

import (
	"fmt"
	"os"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	tree, err := Read(os.DirFS(root))
	if err != nil {
		fmt.Fprintln(os.Stderr, "archcheck:", err)
		os.Exit(3)
	}
	findings := append(tree.CheckImports(Rules), tree.CheckCalls(Calls)...)
	findings = append(findings, tree.CheckDocs()...)
	for _, f := range findings {
		fmt.Println(f)
	}
	if len(findings) > 0 {
		fmt.Printf("archcheck: %d findings in %d files\n", len(findings), len(tree.Files))
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "archcheck: %d files, %d rules, nothing to report\n", len(tree.Files), len(Rules)+len(Calls))
}
