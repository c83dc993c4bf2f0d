package apisix

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
)

// CheckProto is CheckRoute for definitions of gRPC services.
func (o *Object) CheckProto() error {
	if err := o.conforms("proto"); err != nil {
		return err
	}
	if err := checkProto(str(o.tree, "content", "")); err != nil {
		return fmt.Errorf("invalid content: %w", err)
	}
	return nil
}

// checkProto reads source, or a set of descriptors in base64.
func checkProto(content string) error {
	if set, err := base64.StdEncoding.DecodeString(content); err == nil {
		return checkDescriptors(set)
	}
	const name = "content"
	compiler := protocompile.Compiler{
		MaxParallelism: 1,
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			Accessor: protocompile.SourceAccessorFromMap(map[string]string{name: content}),
		}),
	}
	_, err := compiler.Compile(context.Background(), name)
	return err
}

func checkDescriptors(b []byte) error {
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(b, set); err != nil {
		return err
	}
	_, err := protodesc.NewFiles(set)
	return err
}
