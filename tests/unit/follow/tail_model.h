#ifndef VG_TAIL_MODEL_H
#define VG_TAIL_MODEL_H

/* A log, how it is written and followed step by step, and what must come out of that: lines as a
 * splitter gives them that sees the whole log at once. Whoever uses it says the lengths of the
 * lines and where writes end, reads stop and restarts come; the first promise that is broken is
 * kept in `fault`. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "follow/file.h"
#include "follow/line.h"

enum {
	MODEL_BYTES_MAX = 1 << 20,
	MODEL_LINES_MAX = 4096,
	/* A full chunk is read on by at least this. */
	MODEL_STEP_MIN = TAIL_CHUNK_BYTES - TAIL_LINE_MAX - TAIL_AHEAD_BYTES
};

struct model_line {
	size_t at;
	size_t length; /* without its newline */
};

/* lines tile bytes; only the last may lack its newline. */
struct model {
	size_t length;
	size_t written; /* of length, by now in the file */
	size_t n_lines;
	size_t next;    /* the line that is to be handed over next */
	size_t rest_at; /* the next piece of the rest of the line before that */
	bool resting;
	const char *fault; /* a literal, or NULL */
	int fd;            /* owned; a file without a name */
	struct tail_file *file;
	unsigned char *buffer; /* owned */
	struct model_line lines[MODEL_LINES_MAX];
	char bytes[MODEL_BYTES_MAX];
};

static void model_need(struct model *model, bool holds, const char *what)
{
	if (!holds && !model->fault)
		model->fault = what;
}

static void model_open(struct model *model, int64_t offset)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", model->fd); /* fits */
	model->file = NULL;
	if (tail_file_open(path, &model->file, NULL) != TAIL_FILE_OPEN ||
		tail_file_seek(model->file, offset) != 0)
		abort(); /* nothing to do with what is tested */
}

static void model_begin(struct model *model)
{
	model->length = 0;
	model->written = 0;
	model->n_lines = 0;
	model->next = 0;
	model->resting = false;
	model->fault = NULL;
	model->fd = memfd_create("log", MFD_CLOEXEC);
	/* of just that size: the sanitizer sees each byte too far */
	model->buffer = malloc(TAIL_BUFFER_BYTES);
	if (model->fd < 0 || !model->buffer)
		abort();
	model_open(model, 0);
}

static void model_end(struct model *model)
{
	tail_file_free(model->file);
	free(model->buffer);
	(void)close(model->fd);
}

/* Adds a line, while there is room. No two look alike, so one out of place is seen. */
static void model_add(struct model *model, size_t length)
{
	const size_t room = MODEL_BYTES_MAX - model->length;
	char *at = model->bytes + model->length;

	if (model->n_lines == MODEL_LINES_MAX || !room)
		return;
	if (length > room - 1)
		length = room - 1;
	memset(at, 'a' + (int)(model->n_lines % 26), length);
	for (size_t i = 0; i < length; i += 61)
		at[i] = (char)('A' + (i / 61 + model->n_lines) % 26);
	at[length] = '\n';
	model->lines[model->n_lines++] = (struct model_line){ model->length, length };
	model->length += length + 1;
}

/* The last line, unless it is empty, gets no newline. */
static void model_leave_open(struct model *model)
{
	if (model->n_lines && model->lines[model->n_lines - 1].length)
		model->length--;
}

/* Is the newline of the line in the file by now? */
static bool model_is_ended(const struct model *model, const struct model_line *line)
{
	return line->at + line->length < model->written;
}

/* A piece of the rest of the last line. */
static void model_see_rest(struct model *model, int64_t at, const struct line *seen)
{
	const struct model_line *line = model->next ? &model->lines[model->next - 1] : NULL;

	model_need(model, line && line->length > TAIL_LINE_MAX,
		"only a line that was cut has a rest");
	model_need(model, at == (int64_t)model->rest_at && seen->length, "its pieces lie in a row");
	if (model->fault)
		return;
	model->rest_at += seen->length;
	model_need(model,
		model->rest_at <= line->at + line->length &&
			memcmp(seen->text, model->bytes + at, seen->length) == 0,
		"byte for byte, up to its newline");
}

static void model_see(void *context, int64_t at, struct line *seen)
{
	struct model *model = context;
	const struct model_line *line = &model->lines[model->next];
	const bool over = line->length > TAIL_LINE_MAX;
	size_t end;

	if (seen->rest) {
		model_see_rest(model, at, seen);
		return;
	}
	model_need(model, model->next < model->n_lines, "no line comes from nowhere");
	if (model->fault)
		return;
	if (model->next && line[-1].length > TAIL_LINE_MAX)
		model_need(model, model->rest_at == line->at - 1, "all of the rest before it");
	model->next++;
	model->rest_at = line->at + TAIL_LINE_MAX;
	end = line->at + line->length + 1;
	model_need(model, at == (int64_t)line->at, "a line is handed over once, and where it is");
	model_need(model, seen->cut == over, "a line is cut if it is beyond the limit");
	model_need(model, seen->length == (over ? TAIL_LINE_MAX : line->length),
		"all of it that is due");
	if (model->fault)
		return;
	model_need(model, memcmp(seen->text, model->bytes + line->at, seen->length) == 0,
		"byte for byte");
	if (seen->cut || model->resting) {
		model_need(model, seen->ahead == 0,
			"nothing is said of what is ahead of a line like it");
		model_need(model, seen->cut || !model_is_ended(model, line),
			"only the rest is open");
		return;
	}
	model_need(model, model_is_ended(model, line), "a line has ended");
	model_need(model, end + seen->ahead == model->written || seen->ahead >= TAIL_AHEAD_BYTES,
		"what is ahead is all, or enough");
	if (!model->fault)
		model_need(model,
			end + seen->ahead <= model->written &&
				memcmp(seen->text + seen->length + 1, model->bytes + end,
					seen->ahead) == 0,
			"what is ahead of a line stands there");
}

/* The place that a restart would go on from. */
static void model_check_place(struct model *model)
{
	const struct tail_file *file = model->file;
	const struct model_line *last = model->next ? &model->lines[model->next - 1] : NULL;
	const size_t offset = (size_t)file->offset;
	const size_t start =
		model->next < model->n_lines ? model->lines[model->next].at : model->length;

	model_need(model, offset <= model->written, "no more is read than there is");
	if (model->fault)
		return;
	model_need(model, file->skipping == (offset && model->bytes[offset - 1] != '\n'),
		"a restart would skip the same");
	if (file->skipping)
		model_need(model, last && offset > last->at && offset <= last->at + last->length,
			"what is skipped is the rest of the last line");
	else
		model_need(model, offset == start, "the next line begins here");
	model_need(model,
		memcmp(file->window, model->bytes + offset - file->window_bytes,
			file->window_bytes) == 0,
		"the window is what stands before");
}

/* Nothing more is to be had of what is written so far. */
static void model_check_dry(struct model *model)
{
	const struct model_line *line = &model->lines[model->next];

	model_need(model,
		!model->file->skipping ||
			(model->file->offset == (int64_t)model->written &&
				(model->rest_at == model->written || model->resting)),
		"what is skipped waits for nothing");
	if (model->next < model->n_lines)
		model_need(model,
			!model_is_ended(model, line) &&
				(model->written <= line->at ||
					model->written - line->at <= TAIL_LINE_MAX),
			"all that can be is handed over");
}

/* false: it is dry, or a promise is broken. */
static bool model_read(struct model *model)
{
	const struct tail_file_sink sink = { model_see, model, model->buffer };
	const int64_t offset = model->file->offset;
	enum tail_file_read result;
	size_t bytes = 0;

	result = tail_file_read(model->file, &sink, &bytes);
	model_need(model, result == TAIL_FILE_MORE || result == TAIL_FILE_DRY, "it can be read");
	model_need(model, model->file->offset == offset + (int64_t)bytes, "the bytes are counted");
	model_need(model, result != TAIL_FILE_MORE || bytes >= MODEL_STEP_MIN,
		"a full chunk is a step forward");
	model_check_place(model);
	if (result == TAIL_FILE_DRY)
		model_check_dry(model);
	return result == TAIL_FILE_MORE && !model->fault;
}

/* Reads all there is: each step is one by the size that it must have. */
static void model_read_all(struct model *model)
{
	size_t steps = 1 + (model->written - (size_t)model->file->offset) / MODEL_STEP_MIN;

	while (model_read(model) && steps)
		steps--;
	model_need(model, steps > 0, "the steps are so many");
}

static void model_write(struct model *model, size_t bytes)
{
	if (bytes > model->length - model->written)
		bytes = model->length - model->written;
	if (write(model->fd, model->bytes + model->written, bytes) != (ssize_t)bytes)
		abort(); /* nothing to do with what is tested */
	model->written += bytes;
}

/* As after a restart, from what is kept of a position. */
static void model_restart(struct model *model)
{
	const int64_t offset = model->file->offset;
	const uint64_t hash = tail_file_hash(model->file);

	tail_file_free(model->file);
	model_open(model, offset);
	model_need(model, tail_file_hash(model->file) == hash, "the position is found again");
	model_check_place(model);
}

/* Writes and reads what is left; rest: nobody will write any more. */
static void model_finish(struct model *model, bool rest)
{
	const struct tail_file_sink sink = { model_see, model, model->buffer };

	model_write(model, SIZE_MAX);
	model_read_all(model);
	if (!rest || model->fault)
		return;
	model->resting = true;
	tail_file_read_rest(model->file, &sink);
	model_need(model, model->next == model->n_lines, "every line was handed over");
	model_need(model, model->file->offset == (int64_t)model->length, "all is read");
	model_check_place(model);
}

/* ---- told by bytes ---- */

struct model_script {
	const uint8_t *at;
	size_t left;
};

/* 0 once it has ended. */
static uint8_t model_byte(struct model_script *script)
{
	if (!script->left)
		return 0;
	script->left--;
	return *script->at++;
}

/* A few bytes beside a size that matters, or any size of 15 bits. */
static size_t model_size(struct model_script *script)
{
	static const int borders[] = { 0, TAIL_AHEAD_BYTES, TAIL_WINDOW_MAX, TAIL_LINE_MAX,
		TAIL_CHUNK_BYTES - TAIL_LINE_MAX, MODEL_STEP_MIN,
		TAIL_CHUNK_BYTES - TAIL_AHEAD_BYTES, TAIL_CHUNK_BYTES, TAIL_BUFFER_BYTES,
		TAIL_CHUNK_BYTES + TAIL_LINE_MAX, 2 * TAIL_CHUNK_BYTES - TAIL_AHEAD_BYTES,
		2 * TAIL_CHUNK_BYTES, 3 * TAIL_CHUNK_BYTES };
	const unsigned kind = model_byte(script);
	const unsigned low = model_byte(script);
	int size;

	if (kind >= 128)
		return (kind - 128) << 8 | low;
	size = borders[kind % (sizeof(borders) / sizeof(borders[0]))] + (int8_t)low;
	return size > 0 ? (size_t)size : 0;
}

/* Two bytes, how many lines and how it ends; each line: its length and, of a short one, how many
 * of it; then each write: its length and what is done behind it. What is left is written last. */
static void model_run(struct model *model, const uint8_t *bytes, size_t length)
{
	enum { LINES_ODD = 64, OPEN = 1, REST = 2, WRITES_MAX = 64, ONCE = 1, NOT = 2, AGAIN = 4 };
	struct model_script script = { bytes, length };
	unsigned lines = model_byte(&script) % LINES_ODD;
	const unsigned ends = model_byte(&script);
	unsigned does;

	model_begin(model);
	for (; lines; lines--) {
		size_t size = model_size(&script);
		unsigned times = size <= TAIL_AHEAD_BYTES ? 1U + model_byte(&script) : 1;

		for (; times; times--)
			model_add(model, size);
	}
	if (ends & OPEN)
		model_leave_open(model);
	for (int i = 0; i < WRITES_MAX && script.left && !model->fault; i++) {
		model_write(model, model_size(&script));
		does = model_byte(&script);
		if (does & AGAIN)
			model_restart(model);
		if (does & ONCE)
			(void)model_read(model);
		else if (!(does & NOT))
			model_read_all(model);
	}
	if (!model->fault)
		model_finish(model, ends & REST);
	model_end(model);
}

#endif
