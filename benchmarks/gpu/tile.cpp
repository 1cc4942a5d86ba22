// Make the numbers of several networks side by side from those of one: tile REPLICATES FROM TO < TABLE
//
// A line of the table: FILE ITEMSIZE OPERATION NUMBER, where the operation is one of
//   same       all networks share the file
//   repeat     the file, once for each network
//   offset     whole numbers of 32 bits, NUMBER more in each network than in the one before
//   columns    rows of NUMBER items, each of which becomes as many rows side by side
//   replicate  no file: the number of the network, NUMBER times, for each network
//   count      no file: 0, 1, 2 ..., NUMBER for each network
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

template <class Whole> static void whole(std::ofstream& out, int64_t value)
{
    const Whole one = static_cast<Whole>(value);
    out.write(reinterpret_cast<const char*>(&one), sizeof one);
}

int main(int count, char** given)
{
    if (count != 4 || std::atoll(given[1]) < 1) {
        std::cerr << "usage: tile REPLICATES FROM TO < TABLE\n";
        return 2;
    }
    const int64_t many = std::atoll(given[1]);
    std::string file, operation;
    int64_t size, number;
    while (std::cin >> file >> size >> operation >> number) {
        std::vector<char> one;
        if (operation != "replicate" && operation != "count") {
            std::ifstream in(std::string(given[2]) + "/" + file, std::ios::binary);
            if (!in) {
                std::cerr << given[2] << "/" << file << " is not there\n";
                return 1;
            }
            one.assign(std::istreambuf_iterator<char>(in), {});
        }
        std::ofstream out(std::string(given[3]) + "/" + file, std::ios::binary);
        const auto write = size == 8 ? whole<int64_t> : whole<int32_t>;
        const int64_t length = one.size();
        if (operation == "same") {
            out.write(one.data(), length);
        } else if (operation == "repeat") {
            for (int64_t r = 0; r < many; r++)
                out.write(one.data(), length);
        } else if (operation == "offset") {
            const auto* members = reinterpret_cast<const int32_t*>(one.data());
            for (int64_t r = 0; r < many; r++)
                for (int64_t k = 0; k < length / 4; k++)
                    write(out, members[k] + r * number);
        } else if (operation == "columns") {
            const int64_t row = number * size;
            for (int64_t begin = 0; begin < length; begin += row)
                for (int64_t r = 0; r < many; r++)
                    out.write(one.data() + begin, row);
        } else if (operation == "replicate") {
            for (int64_t r = 0; r < many; r++)
                for (int64_t k = 0; k < number; k++)
                    write(out, r);
        } else if (operation == "count") {
            for (int64_t k = 0; k < many * number; k++)
                write(out, k);
        } else {
            std::cerr << operation << " is no operation\n";
            return 1;
        }
        out.close();
        if (!out) {
            std::cerr << given[3] << "/" << file << " cannot be written\n";
            return 1;
        }
    }
    return 0;
}
