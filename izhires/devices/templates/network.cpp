{# The loop over time: what falls due together is found once for each set of clocks, and the clock of the system is read rarely. #}
{% macro h_file() %}
#ifndef _BRIAN_NETWORK_H
#define _BRIAN_NETWORK_H

#include <utility>
#include <vector>
#include "brianlib/clocks.h"

typedef void (*codeobj_func)();
typedef void (*report_type)(const double, const double, const double, const double);

class Network
{
public:
    std::vector<std::pair<Clock*, codeobj_func>> objects;
    double t = 0.0;
    static double _last_run_time, _last_run_completed_fraction;
    static bool _globally_stopped, _globally_running;

    void clear() { objects.clear(); }
    void add(Clock* clock, codeobj_func function) { objects.emplace_back(clock, function); }
    void run(double duration, report_type report, double report_period);
};

#endif
{% endmacro %}

{% macro cpp_file() %}
#include "network.h"
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>

double Network::_last_run_time = 0.0;
double Network::_last_run_completed_fraction = 0.0;
bool Network::_globally_stopped = false;
bool Network::_globally_running = false;

void Network::run(const double duration, report_type report, const double report_period)
{
    const auto began = std::chrono::steady_clock::now();
    auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
    const double start = t, end = t + duration;
    std::vector<Clock*> clocks;
    for (const auto& object : objects)
        if (std::find(clocks.begin(), clocks.end(), object.first) == clocks.end())
            clocks.push_back(object.first);
    double shortest = duration;
    for (Clock* clock : clocks)
    {
        clock->set_interval(start, end);
        clock->t[0] = clock->timestep[0]*clock->dt[0];
        shortest = std::min(shortest, clock->dt[0]);
    }
    const double tolerance = 1e-6*shortest;
    // clocks as bits of a number -> what runs when these fall due together, as positions among the objects
    std::map<uint64_t, std::vector<size_t>> together;
    uint64_t known = 0;
    const std::vector<size_t>* now = nullptr;
    const bool profiled = std::getenv("IZHIRES_PROFILE") != nullptr;
    std::vector<double> spent(objects.size(), 0.0);
    double next_report = report_period;
    _globally_running = true;
    _globally_stopped = false;
    if (report)
        report(0.0, 0.0, start, duration);
    for (int64_t step = 0; !_globally_stopped && !clocks.empty(); step++)
    {
        Clock* first = clocks[0];
        for (Clock* clock : clocks)
            if (clock->t[0] < first->t[0])
                first = clock;
        if (!first->running())
            break;
        t = first->t[0];
        uint64_t due = 0;
        for (size_t c = 0; c < clocks.size(); c++)
            if (clocks[c]->t[0] - t <= tolerance)
                due |= uint64_t(1) << c;
        if (due != known)
        {
            known = due;
            auto& list = together[due];
            if (list.empty())
                for (size_t k = 0; k < objects.size(); k++)
                {
                    const size_t c = std::find(clocks.begin(), clocks.end(), objects[k].first) - clocks.begin();
                    if ((due >> c & 1) && objects[k].second)
                        list.push_back(k);
                }
            now = &list;
        }
        if (!profiled)
            for (const size_t k : *now)
                objects[k].second();
        else
        {
            double before = elapsed();
            for (const size_t k : *now)
            {
                objects[k].second();
                const double after = elapsed();
                spent[k] += after - before;
                before = after;
            }
        }
        for (size_t c = 0; c < clocks.size(); c++)
            if (due >> c & 1)
                clocks[c]->tick();
        if (report && step % 1000 == 0 && elapsed() > next_report)
        {
            report(elapsed(), (t - start)/duration, start, duration);
            next_report += report_period;
        }
    }
    _globally_running = false;
    if (!_globally_stopped || clocks.empty())
        t = end;
    else
        t = (*std::min_element(clocks.begin(), clocks.end(), [](Clock* a, Clock* b) { return a->t[0] < b->t[0]; }))->t[0];
    _last_run_time = elapsed();
    for (size_t k = 0; profiled && k < spent.size(); k++)
        std::cout << "profile " << k << " " << spent[k] << std::endl;
    _last_run_completed_fraction = duration > 0 ? (t - start)/duration : 1.0;
    if (report)
        report(_last_run_time, _last_run_completed_fraction, start, duration);
}
{% endmacro %}
