using System.Globalization;

namespace Mesh.Gateway.Admin;

/// <summary>Parameters of a list: filters by name, and <c>limit</c>, <c>offset</c>, <c>sort</c>, <c>watch</c>.</summary>
internal sealed class AdminQuery
{
    /// <summary>Items of a page where the question names none.</summary>
    public const int DefaultLimit = 1000;

    /// <summary>Most items of a page.</summary>
    public const int MaxLimit = 10_000;

    private readonly Dictionary<string, string> _filters = [];

    private AdminQuery()
    {
    }

    /// <summary>Most items, 1–<see cref="MaxLimit"/>.</summary>
    public int Limit { get; private set; } = DefaultLimit;

    /// <summary>Items before the first.</summary>
    public int Offset { get; private set; }

    /// <summary>Field to sort by; null for the list's own order.</summary>
    public string? Sort { get; private set; }

    /// <summary>True for the greatest first.</summary>
    public bool Descending { get; private set; }

    /// <summary>True to be told of changes.</summary>
    public bool Watch { get; private set; }

    /// <summary>Value of a filter; null when the question has none.</summary>
    public string? this[string filter] => _filters.GetValueOrDefault(filter);

    /// <summary>Reads the parameters; null with the problem where one has no meaning.</summary>
    /// <param name="query">Query of the request.</param>
    /// <param name="filters">Filters that the list has.</param>
    /// <param name="sorts">Fields that it can be sorted by.</param>
    /// <param name="problem">What is wrong.</param>
    public static AdminQuery? Read(IQueryCollection query, ReadOnlySpan<string> filters, IReadOnlyCollection<string> sorts, out string problem)
    {
        var read = new AdminQuery();
        problem = "";
        foreach (var (name, values) in query)
        {
            var value = values.ToString();
            switch (name)
            {
                case "limit" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxLimit:
                    read.Limit = limit;
                    break;
                case "limit":
                    problem = $"limit is {value}; it must be a whole number in 1–{MaxLimit}.";
                    return null;
                case "offset" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var offset):
                    read.Offset = offset;
                    break;
                case "offset":
                    problem = $"offset is {value}; it must be a whole number from 0.";
                    return null;
                case "sort" when sorts.Contains(value.TrimStart('-')):
                    read.Sort = value.TrimStart('-');
                    read.Descending = value.StartsWith('-');
                    break;
                case "sort":
                    problem = $"sort is {value}; it can be {string.Join(", ", sorts)}, with a minus before it for the greatest first.";
                    return null;
                case "watch" when value is "true" or "1" or "false" or "0":
                    read.Watch = value is "true" or "1";
                    break;
                case "watch":
                    problem = $"watch is {value}; it must be true or false.";
                    return null;
                default:
                    if (!filters.Contains(name))
                    {
                        problem = $"There is no parameter {name}; there are {string.Join(", ", [.. filters, "limit", "offset", "sort", "watch"])}.";
                        return null;
                    }

                    read._filters[name] = value;
                    break;
            }
        }

        return read;
    }
}
