package main

import (
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

func faultKinds(*cobra.Command, []string, string) []cobra.Completion {
	var out []cobra.Completion
	for _, k := range fault.Kinds() {
		out = append(out, cobra.CompletionWithDesc(k.Name, k.Peer))
	}
	return out
}

// completeInject completes the kind of a fault, then its values in their places or
// by their names. Nothing follows a name but its value.
func completeInject(cmd *cobra.Command, before []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	directive := cobra.ShellCompDirectiveNoFileComp
	if len(before) == 0 {
		return propose(faultKinds, cmd, before, word), directive
	}
	out := propose(faultWords, cmd, before, word)
	if !slices.ContainsFunc(out, func(c cobra.Completion) bool {
		name, _, _ := strings.Cut(c, "\t")
		return !strings.HasSuffix(name, "=")
	}) {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return out, directive
}

// faultWords are the values for the next place of a fault, and the names of its
// fields that are not given yet.
func faultWords(cmd *cobra.Command, before []string, word string) []cobra.Completion {
	k, err := fault.KindOf(before[0])
	if err != nil {
		return nil
	}
	place, given := 1, map[string]bool{}
	for _, w := range before[1:] {
		if name, _, ok := strings.Cut(w, "="); ok {
			given[name] = true
		} else {
			place++
		}
	}
	name, _, named := strings.Cut(word, "=")
	var out []cobra.Completion
	for _, f := range k.Fields {
		switch {
		case named && f.Name == name:
			for _, v := range fieldValues(cmd, before[1:], f) {
				out = append(out, name+"="+v)
			}
		case named || given[f.Name] || f.Arg > 0 && f.Arg < place:
		case f.Arg == place:
			out = append(out, fieldValues(cmd, before[1:], f)...)
		case f.Arg == 0:
			out = append(out, cobra.CompletionWithDesc(f.Name+"=", f.Doc))
		}
	}
	return out
}

// fieldValues are values for a field; none when it may hold anything.
func fieldValues(cmd *cobra.Command, before []string, f fault.Field) []cobra.Completion {
	switch f.Type() {
	case reflect.TypeFor[topology.Selector](), reflect.TypeFor[topology.Ref]():
		return nodeRefs(cmd, nil, "")
	case reflect.TypeFor[topology.LinkSelector]():
		return linksOf(statusFor(cmd))
	case reflect.TypeFor[fault.Direction]():
		return []cobra.Completion{string(fault.AToB), string(fault.BToA)}
	case reflect.TypeFor[fault.Side]():
		return []cobra.Completion{string(fault.SideA), string(fault.SideB)}
	case reflect.TypeFor[fault.Deed]():
		var out []cobra.Completion
		for _, d := range fault.Deeds {
			out = append(out, string(d))
		}
		return out
	case reflect.TypeFor[bool]():
		return []cobra.Completion{"true", "false"}
	}
	if f.Name == "process" && len(before) > 0 {
		return processesOf(statusFor(cmd), topology.Selector(before[0]))
	}
	return nil
}

// processesOf are the names of the processes on the selected nodes.
func processesOf(st lab.Status, sel topology.Selector) []cobra.Completion {
	var out []cobra.Completion
	for _, n := range st.Nodes {
		if !sel.Match(n.Ref) {
			continue
		}
		for _, p := range n.Processes {
			if !slices.Contains(out, p.Name) {
				out = append(out, p.Name)
			}
		}
	}
	return out
}
