using System.Text.Json;

namespace Mesh.Cli.Live;

/// <summary>A column of a table.</summary>
/// <param name="Header">Its name, in capitals.</param>
/// <param name="Read">What stands in it.</param>
internal sealed record LiveColumn(string Header, Func<JsonElement, DateTimeOffset, string> Read)
{
    /// <summary>Shown with <c>-o wide</c> alone.</summary>
    public bool IsWide { get; init; }

    /// <summary>Changes by itself with time: no reason to show a row again.</summary>
    public bool IsAge { get; init; }
}

/// <summary>A kind of thing that a gateway tells of.</summary>
internal sealed record LiveKind
{
    /// <summary>Plural, as <c>get</c> takes it.</summary>
    public required string Plural { get; init; }

    /// <summary>Singular.</summary>
    public required string Singular { get; init; }

    /// <summary>Short names.</summary>
    public string[] Short { get; init; } = [];

    /// <summary>Path of the list.</summary>
    public required string Path { get; init; }

    /// <summary>Field of the answer with the items.</summary>
    public string Items { get; init; } = "items";

    /// <summary>True when the answer comes in pages.</summary>
    public bool HasPages { get; init; } = true;

    /// <summary>Name of an item: what tells it from the others.</summary>
    public required Func<JsonElement, string> Name { get; init; }

    /// <summary>Other names that a person may call it by.</summary>
    public Func<JsonElement, string[]> Aliases { get; init; } = static _ => [];

    /// <summary>Namespace of an item; null where its kind has none.</summary>
    public Func<JsonElement, string>? Namespace { get; init; }

    /// <summary>Columns.</summary>
    public required LiveColumn[] Columns { get; init; }

    /// <summary>True when a word means this kind.</summary>
    public bool Is(string word) => word == Plural || word == Singular || Short.Contains(word);
}
