// SPDX-License-Identifier: GPL-2.0
/*
 * A program to be compiled: it counts words that it makes up, in two threads.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
	struct word *left, *right;
	int times;
	char text[];
};

static struct word *count(struct word *word, const char *text)
{
	size_t size = strlen(text) + 1;
	int order;

	if (!word) {
		word = calloc(1, sizeof(*word) + size);
		if (!word)
			abort();
		memcpy(word->text, text, size);
		word->times = 1;
		return word;
	}
	order = strcmp(text, word->text);
	if (order < 0)
		word->left = count(word->left, text);
	else if (order > 0)
		word->right = count(word->right, text);
	else
		word->times++;
	return word;
}

static int sum(struct word *word)
{
	int all;

	if (!word)
		return 0;
	all = word->times + 3 * sum(word->left) + 7 * sum(word->right);
	free(word);
	return all % 100003;
}

static void *work(void *arg)
{
	unsigned int seed = (unsigned int)(size_t)arg;
	struct word *root = NULL;
	char text[32];
	int i;

	for (i = 0; i < 3000; i++) {
		seed = seed * 1103515245 + 12345;
		sprintf(text, "word %u", (seed >> 16) % 500);
		root = count(root, text);
	}
	return (void *)(size_t)sum(root);
}

int main(void)
{
	pthread_t thread[2];
	void *result;
	size_t i;

	for (i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, work, (void *)(i + 1)))
			return 1;
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], &result);
		printf("%zu %.3f\n", (size_t)result, sqrt((size_t)result));
	}
	return 0;
}
