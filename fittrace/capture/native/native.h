/* The compiled part of capture. `pybuffer.py` and `pyprobes.py` are the same in Python, and document the functions.
 *
 * Only the stable ABI of Python 3.7 is used, so one binary serves every Python from then on. Nothing here releases the
 * interpreter's lock between the first number of a record and the last, so nobody sees a part of a record.
 *
 * The program may run wherever Python code is called or a reference is dropped: a finalizer, a signal handler or
 * another thread may then call probes of its own. So two rules hold:
 *
 * - Before such a point, take a reference to what is used after it.
 * - Empty a field before dropping the reference that was in it.
 */

#ifndef FITTRACE_NATIVE_H
#define FITTRACE_NATIVE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03070000
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#if defined(__linux__)
#define HAS_PINS 1
#include <sys/mman.h>
#include <unistd.h>
#else
#define HAS_PINS 0
#endif

#ifndef METH_FASTCALL
/* In the stable ABI since Python 3.10. Python 3.7 to 3.9, which get no more versions, have the same under this flag. */
#define METH_FASTCALL 0x0080
#endif

/* Call functions of the running Python instead of the macros in the headers, which count references as the Python that
 * compiled this does: since Python 3.12 some objects are immortal, and their count must not change. */
#undef Py_INCREF
#undef Py_XINCREF
#undef Py_DECREF
#undef Py_XDECREF
#define Py_INCREF(object) Py_IncRef((PyObject *)(object))
#define Py_XINCREF(object) Py_IncRef((PyObject *)(object))
#define Py_DECREF(object) Py_DecRef((PyObject *)(object))
#define Py_XDECREF(object) Py_DecRef((PyObject *)(object))

#if defined(__GNUC__)
/* Export nothing: the names are short, and another library may have the same. */
#pragma GCC visibility push(hidden)
#endif

#if defined(CLOCK_MONOTONIC) && defined(CLOCK_REALTIME)
#define HAS_CLOCK 1
#else
#define HAS_CLOCK 0
#endif

/* The version of what Python uses of this module, as in `compiled.py`. */
#define VERSION 1

/* As in `schema/journal_format.py`. */
#define ABSENT ((1LL << 62) - 1)
#define WHOLE 9007199254740992.0
/* As in `log_inspector.py`: keys in a shape, at most. */
#define WIDEST 64
/* How many shapes of one width are kept: an epoch's logs and a batch's may have the same width. */
#define SHAPES 2
/* What is done with the records of a site, as `Dispatch` in `observer.py` says. */
enum { OBSERVED, IGNORED, ENTERS, LEAVES, FILTERED };
/* How many classes of callbacks are looked up without a dict. */
#define AT_HAND 8
/* How many times something is tried that signal handlers interrupt. */
#define TRIES 4
/* What Fibonacci hashing multiplies by, as in `schema/fibonacci_hashing.py`. */
#define FIBONACCI 0x9E3779B97F4A7C15ULL

/* Bytes that a bytearray has after its head, at most; `make_probe_type` checks it. */
#define ROOM 64

#define METHOD(type, name, flags) {#name, (PyCFunction)(void (*)(void))type##_##name, flags, NULL}

/* The numbers that one thread has recorded and that nobody has taken yet. */
typedef struct {
    PyObject_HEAD
    int64_t *numbers;
    Py_ssize_t length; /* how many there are */
    Py_ssize_t room;   /* for how many there is memory */
} Buffer;

/* One key of logs, with the value that it had when the logs were recorded last. */
typedef struct {
    PyObject *key;
    PyObject *value;
    PyTypeObject *type; /* of the value */
    double number;      /* the value as a number */
    char kind;          /* how the number is recorded: `i` as a whole number, `n` as the halves of a float */
} Entry;

/* The keys of logs that are plain numbers, and what the logs held last. */
typedef struct {
    int holders;      /* how many references there are */
    Py_ssize_t width; /* how many keys */
    int64_t keys;     /* the number of the keys in the trace */
    Entry entries[];
} Shape;

/* A callback's class, which is kept alive elsewhere, and its number in the trace. */
typedef struct {
    PyTypeObject *type;
    int64_t number;
} Class;

/* The probes of one thread. What is observed of them, and how, is described in `observer.py`. */
typedef struct {
    PyObject_HEAD
    Buffer *buffer;
    unsigned long thread; /* its identity; 0 once it has ended */
    PyObject *greenlet;   /* tells which greenlet runs; NULL as long as there are none */
    PyObject *inspector;
    PyObject *observe;
    PyObject *interest;
    PyObject *batch_filter;
    long entered;
    PyObject *clock;        /* gives the time */
    PyObject *classes;      /* the numbers of callbacks' classes, by the identity of the class */
    PyObject *texts;        /* the numbers of texts */
    Class at_hand[AT_HAND]; /* the classes that were met last */
    unsigned met;           /* how many classes were put there so far */
    int64_t state_head;     /* the head of the records of logs */
    /* Constants: no arguments, and an attribute's name. */
    PyObject *nothing;
    PyObject *stop_training;
    /* The logs that were recorded last; NULL where only another look can tell whether they have changed. */
    PyObject *seen;
    /* The callback list whose hooks run, the attributes of its model, and what `stop_training` was at the last look. */
    PyObject *owner;
    PyObject *attributes;
    PyObject *stopping;
    PyObject *described; /* the operands of the logs that were recorded last, where they are not all plain numbers */
    Shape *shapes[(WIDEST + 1) * SHAPES]; /* those of one width side by side */
    Shape *current;      /* the shape of the logs that were recorded last, where they are plain numbers */
} Probes;

/* A site of the owner's code as an object with operators; see `probe.c`. */
typedef struct {
    PyObject_HEAD
    char of_its_base[ROOM]; /* the fields of a bytearray without bytes */
    Probes *probes;
    int64_t head;
    char kind; /* the first letter of the function of `Probes` that it calls */
} Probe;

/* buffer.c */

extern PyType_Spec Buffer_spec;
extern PyObject *array_type;
extern int instances_own_their_type;

/* A new reference to None. The macro of Python 3.12 and 3.13 does not count it, but older Pythons need the count. */
PyObject *none(void);
/* Free an object. */
void release(PyObject *self);
/* Append numbers, all of them or none: 0, or -1 with an error. */
int extend(Buffer *self, const int64_t *numbers, Py_ssize_t count);
/* The value of an int that has 64 bits; ABSENT for anything else. No code of the object's class runs. */
int64_t as_integer(PyObject *value);

/* clock.c */

/* The time, in nanoseconds; negative with an error where there is none. */
int64_t now(Probes *self);
#if HAS_CLOCK
/* The function `now_ns` as an object. Probes that are given this clock read it without calling Python. */
extern PyObject *own_clock;
/* The nanoseconds of the monotonic clock, and of the wall clock. */
PyObject *now_ns(PyObject *module, PyObject *ignored);
PyObject *wall_ns(PyObject *module, PyObject *ignored);
#endif

/* logs.c */

/* Whether logs hold the very objects that were recorded last. */
int is_seen(const Probes *self, PyObject *logs);
/* Record logs where they have changed: 1 where the identity of their objects will tell whether they change again,
 * 0 where only another look can, or -1. */
int look(Probes *self, PyObject *logs);
/* Forget the logs: the next probe may be another callback list's. */
void begin_list(Probes *self);
/* Drop a reference to a shape. */
void drop(Shape *shape);

/* records.c */

/* Append one record, as a whole or not at all, and hand it to the observer: 0, or -1 with an error. */
int append(Probes *self, const int64_t *numbers, Py_ssize_t count);
/* The same with the operands in a tuple. With a `head` of 0 the head is the tuple's first item. */
int append_tuple(Probes *self, int64_t head, PyObject *operands);
/* Report the error that is set, if there is one, as a fault: 0, or -1 where it is the program's. It stays set then. */
int fault(Probes *self, const char *where);

/* leaving.c */

/* Record the exception that leaves a function, with this head. */
PyObject *Probes_unwind(Probes *self, PyObject *head);
/* The same for a root; afterwards the program's own functions get their code back. */
PyObject *Probes_unwind_root(Probes *self, PyObject *head);
/* Record that a root returns, with this head: 0, or -1 with an error. */
int leave_root(Probes *self, int64_t head);
PyObject *Probes_leave_root(Probes *self, PyObject *head);
/* Record an exception that is caught, passes a `finally`, or leaves a function without a span. */
PyObject *Probes_raised(Probes *self, PyObject *head);

/* packing.c */

/* Pack bytes that hold integers of 64 bits; None where one of them is too large. */
PyObject *packed(PyObject *module, PyObject *numbers);

/* pin.c */

#if HAS_PINS
/* A pin: an object that keeps the file of a descriptor open as long as it lives. The file must be open for reading. */
PyObject *pinned(PyObject *module, PyObject *descriptor);
#endif

/* probe.c */

extern PyTypeObject *ProbeType;

/* Make `ProbeType`: 0, or -1 with an error. */
int make_probe_type(void);

/* probes.c */

extern PyType_Spec Probes_spec;
extern PyTypeObject *BufferType;

/* Drop all references to the program's model and logs. */
void forget(Probes *self);
/* Append a record of a head and the time: 0, or -1 with an error. */
int mark(Probes *self, int64_t head);
/* Whether the calling thread is the one that the probes belong to, in its main greenlet. */
int is_here(const Probes *self);
/* What a probe returns: None, also where it failed and reported a fault; NULL with an exception of the program's. */
PyObject *done(Probes *self, int failed);

#endif
