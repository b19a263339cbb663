/* Packing: writes what a thread has recorded as varints, in the format that `schema/journal_format.py` describes. */

#include "native.h"

/* As `VarintKind` in `schema/journal_format.py`. */
enum { HEAD, NUMBER, MOMENT, NOTHING };
/* The most bytes that a varint has. */
#define WIDEST_VARINT 10
/* The first value that does not fit into a varint: two of its 64 bits are the kind. */
#define LIMIT (1ULL << 62)
/* A moment that is the first of a block, or far from the last one, is at least this. Smaller numbers are plain ones. */
#define FIRST (1LL << 32)
/* A moment is near the last one if the difference, in zigzag, is less than this: about half a minute. */
#define NEAR (1ULL << 36)

/* Write one varint: where it ends. */
static unsigned char *
put(unsigned char *at, uint64_t value, int kind)
{
    value = value << 2 | (uint64_t)kind;
    while (value >= 0x80) {
        *at++ = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    *at++ = (unsigned char)value;
    return at;
}

/* Pack numbers into `at`, which has room for all: the end, or NULL where a number does not fit into a varint. */
static unsigned char *
pack(const char *numbers, Py_ssize_t count, unsigned char *at)
{
    uint64_t last = 0, value;
    int64_t number;
    int is_first = 0; /* whether the number is the first operand of its record, which may be a time */

    for (; count > 0; count--, numbers += sizeof(number)) {
        memcpy(&number, numbers, sizeof(number)); /* the bytes need not be aligned */
        value = number < 0 ? ~(uint64_t)number : (uint64_t)number;
        if (value >= LIMIT) {
            return NULL;
        }
        if (number < 0) {
            at = put(at, value, HEAD);
        } else if (number == ABSENT) {
            at = put(at, 0, NOTHING);
        } else {
            /* How far the number is from the last moment, in zigzag: twice the distance, less one if it is smaller. */
            uint64_t after = value >= last ? (value - last) << 1 : ((last - value) << 1) - 1;
            int is_moment = after < NEAR ? after < value : is_first && number >= FIRST && after < LIMIT;
            at = is_moment ? put(at, after, MOMENT) : put(at, value, NUMBER);
            last = is_moment ? value : last;
        }
        is_first = number < 0;
    }
    return at;
}

PyObject *
packed(PyObject *Py_UNUSED(module), PyObject *numbers)
{
    const char *bytes = PyBytes_AsString(numbers);
    unsigned char *memory, *end;
    Py_ssize_t count;
    PyObject *result;

    if (bytes == NULL) {
        return NULL;
    }
    count = PyBytes_Size(numbers) / (Py_ssize_t)sizeof(int64_t);
    memory = PyMem_Malloc(count * WIDEST_VARINT + 1);
    if (memory == NULL) {
        return PyErr_NoMemory();
    }
    Py_BEGIN_ALLOW_THREADS
    end = pack(bytes, count, memory);
    Py_END_ALLOW_THREADS
    result = end == NULL ? none() : PyBytes_FromStringAndSize((char *)memory, end - memory);
    PyMem_Free(memory);
    return result;
}
