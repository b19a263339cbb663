/* The clock. It asks the system, so a program that replaces functions of Python's `time` does not change it. */

#include "native.h"

#if HAS_CLOCK

PyObject *own_clock;

#if defined(__APPLE__)
#define RUNNING CLOCK_UPTIME_RAW /* the clock of `time.perf_counter_ns` on macOS */
#else
#define RUNNING CLOCK_MONOTONIC /* its clock on Linux */
#endif

static int64_t
read_clock(clockid_t clock)
{
    struct timespec time;

    if (clock_gettime(clock, &time) != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return (int64_t)time.tv_sec * 1000000000LL + time.tv_nsec;
}

static PyObject *
as_python(int64_t number)
{
    return PyErr_Occurred() ? NULL : PyLong_FromLongLong(number);
}

PyObject *
now_ns(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return as_python(read_clock(RUNNING));
}

PyObject *
wall_ns(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return as_python(read_clock(CLOCK_REALTIME));
}

#endif

/* The time as a clock in Python gives it. That may be a test's, so its result is checked. */
static int64_t
asked(Probes *self)
{
    PyObject *time = PyObject_Call(self->clock, self->nothing, NULL);
    int64_t number;

    if (time == NULL) {
        return -1;
    }
    number = as_integer(time);
    Py_DECREF(time);
    if (number < 0 || number == ABSENT) {
        PyErr_SetString(PyExc_ValueError, "the clock gave no number of nanoseconds");
        return -1;
    }
    return number;
}

int64_t
now(Probes *self)
{
#if HAS_CLOCK
    if (self->clock == own_clock) {
        int64_t number = read_clock(RUNNING);
        if (number < 0 && !PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "the system's clock is before its zero");
        }
        return number;
    }
#endif
    return asked(self);
}
