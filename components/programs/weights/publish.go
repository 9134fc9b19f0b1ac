package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// partBytes lets an object of 10,000 parts be of 640 GB; a file of weights is smaller.
const partBytes = 64 << 20

// published is what the artifact index of the region says of the weights.
type published struct {
	Manifest string `json:"manifest"`
	Bytes    int64  `json:"bytes"`
}

func runPublish(ctx context.Context, arguments []string, output io.Writer) error {
	flags := flag.NewFlagSet("weights publish", flag.ContinueOnError)
	var into bucketFlags
	folder := flags.String("folder", "", "folder with the files of the weights")
	anew := flags.Bool("anew", false, "upload also what the bucket has: after a cache refused what is there")
	if err := into.parse(flags, arguments, output, "folder"); err != nil {
		return err
	}
	found, err := describe(*folder)
	if err != nil {
		return err
	}
	store, err := into.open()
	if err != nil {
		return err
	}
	if err := store.make(ctx); err != nil {
		return err
	}
	store.anew = *anew
	for _, file := range found.Files {
		if err := store.putFile(ctx, file, filepath.Join(*folder, filepath.FromSlash(file.Path))); err != nil {
			return fmt.Errorf("%s: %w", file.Path, err)
		}
	}
	whole := digestOfText(found.text())
	// Last: who finds the manifest finds all that it names.
	if err := store.put(ctx, whole, int64(len(found.text())), bytes.NewReader(found.text())); err != nil {
		return err
	}
	return json.NewEncoder(output).Encode(published{Manifest: whole.String(), Bytes: found.size()})
}

// describe makes the manifest of a folder: every file below it, in the order of their names.
func describe(folder string) (manifest, error) {
	var found manifest
	err := filepath.WalkDir(folder, func(path string, about fs.DirEntry, err error) error {
		if err != nil || about.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil || name == manifestName {
			return err
		}
		if !about.Type().IsRegular() {
			return fmt.Errorf("%s is no regular file: put the file itself there", path)
		}
		held, size, err := digestOfFile(path)
		found.Files = append(found.Files, entry{Path: filepath.ToSlash(name), Size: size, SHA256: held})
		return err
	})
	if err == nil && len(found.Files) == 0 {
		err = fmt.Errorf("%s holds no file", folder)
	}
	return found, err
}

// make creates the bucket unless it is there.
func (b *bucket) make(ctx context.Context) error {
	_, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.name})
	if !errors.Is(told(err), errMissing) {
		return err
	}
	_, err = b.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &b.name})
	var answer smithy.APIError
	if errors.As(err, &answer) && answer.ErrorCode() == "BucketAlreadyOwnedByYou" {
		return nil // another was faster
	}
	return err
}

func (b *bucket) putFile(ctx context.Context, file entry, path string) error {
	content, err := os.Open(path)
	if err != nil {
		return err
	}
	defer content.Close()
	return b.put(ctx, file.SHA256, file.Size, content)
}

// put uploads an object unless one of its digest and size is there.
func (b *bucket) put(ctx context.Context, of digest, size int64, content io.Reader) error {
	there, err := b.size(ctx, of)
	if err == nil && there == size && !b.anew {
		log.Printf("%s: there already", of)
		return nil
	} else if err != nil && !errors.Is(err, errMissing) {
		return err
	}
	upload := transfermanager.New(b.client, func(o *transfermanager.Options) { o.PartSizeBytes = partBytes })
	_, err = upload.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &b.name, Key: aws.String(of.key()), Body: content})
	if err == nil {
		log.Printf("%s: %d bytes, uploaded", of, size)
	}
	return err
}
