using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mesh.Gateway.Admin.Live;
using Mesh.Gateway.Admin.Shapes;
using Mesh.Gateway.Errors;

namespace Mesh.Gateway.Admin;

/// <summary>One list of the API: filtered, sorted, by pages, or watched.</summary>
internal interface IAdminList
{
    /// <summary>Answers a request.</summary>
    Task HandleAsync(HttpContext context);
}

/// <summary>A list of one kind of item.</summary>
/// <typeparam name="T">Kind of the items.</typeparam>
/// <param name="services">Answers and clock.</param>
/// <param name="streams">Watched lists.</param>
/// <param name="filters">Parameters that <paramref name="read"/> looks at.</param>
/// <param name="sorts">What it can be sorted by.</param>
/// <param name="read">Items that match, in their own order.</param>
/// <param name="key">Name of an item, different from all others'.</param>
/// <param name="page">Writes a page.</param>
internal sealed class AdminList<T>(
    AdminServices services, EventStreams streams, string[] filters, IReadOnlyDictionary<string, Func<T, IComparable?>> sorts,
    Func<AdminQuery, IEnumerable<T>> read, Func<T, string> key, JsonTypeInfo<ListShape<T>> page) : IAdminList
    where T : class
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    private readonly JsonTypeInfo<T> _item = (JsonTypeInfo<T>)page.Options.GetTypeInfo(typeof(T));
    private readonly string[] _sorts = [.. sorts.Keys.Order(StringComparer.Ordinal)];

    public Task HandleAsync(HttpContext context)
    {
        if (AdminQuery.Read(context.Request.Query, filters, _sorts, out var problem) is not { } query)
        {
            return services.Errors.RefuseAsync(context, GatewayErrors.InvalidQuery, problem);
        }

        if (query.Watch) return streams.RunAsync(context, (sink, end) => WatchAsync(sink, query, end));
        var all = Matching(query);
        var items = all.Skip(query.Offset).Take(query.Limit).ToImmutableArray();
        return AdminAnswer.WriteAsync(context, new ListShape<T>(items, all.Count, query.Offset, query.Limit), page);
    }

    private List<T> Matching(AdminQuery query)
    {
        var all = read(query).ToList();
        if (query.Sort is not { } sort) return all;
        var by = sorts[sort];
        // What is unknown comes last either way; equal ones keep their own order.
        var known = all.Where(i => by(i) is not null);
        var ordered = query.Descending ? known.OrderByDescending(by) : known.OrderBy(by);
        return [.. ordered, .. all.Where(i => by(i) is null)];
    }

    private async Task WatchAsync(EventSink sink, AdminQuery query, CancellationToken cancellationToken)
    {
        var before = new Dictionary<string, byte[]>();
        var events = new ArrayBufferWriter<byte>();
        var isFirst = true;
        while (true)
        {
            events.ResetWrittenCount();
            var now = new Dictionary<string, byte[]>();
            foreach (var item in Matching(query).Skip(query.Offset).Take(query.Limit))
            {
                var json = JsonSerializer.SerializeToUtf8Bytes(item, _item);
                now[key(item)] = json;
                if (!before.TryGetValue(key(item), out var known)) Write(events, "ADDED"u8, json);
                else if (!json.AsSpan().SequenceEqual(known)) Write(events, "MODIFIED"u8, json);
            }

            foreach (var (name, json) in before)
            {
                if (!now.ContainsKey(name)) Write(events, "DELETED"u8, json);
            }

            if (isFirst) events.Write("data: {\"type\":\"SYNCED\"}\n\n"u8);
            // A comment finds out whether the viewer is still there.
            if (events.WrittenCount == 0) events.Write(":\n\n"u8);
            await sink.WriteAsync(events.WrittenMemory, cancellationToken);
            isFirst = false;
            before = now;
            await Task.Delay(WatchInterval, services.Time, cancellationToken);
        }
    }

    private static void Write(ArrayBufferWriter<byte> events, ReadOnlySpan<byte> type, ReadOnlySpan<byte> json)
    {
        events.Write("data: {\"type\":\""u8);
        events.Write(type);
        events.Write("\",\"object\":"u8);
        events.Write(json);
        events.Write("}\n\n"u8);
    }
}
