using System.Text;
using System.Text.Json;
using Mesh.Gateway.Admin.Live;

namespace Mesh.Dashboard.Tests.Admin;

public sealed class LiveTableTests
{
    [Fact]
    public void WriteChanges_RowsThatComeChangeAndGo_TellsThatAlone()
    {
        var table = new LiveTable("t", "name", "load");
        Assert.Equal("""{"t":{"add":[[1,"a",1],[2,"b",2]]}}""", Round(table, ("a", 1), ("b", 2)));
        Assert.Equal("""{"t":{"set":[[2,1,2.5]]}}""", Round(table, ("a", 1), ("b", 2.5)));
        Assert.Equal("{}", Round(table, ("a", 1), ("b", 2.5)));
        Assert.Equal("""{"t":{"add":[[3,"c",null]],"remove":[1]}}""", Round(table, ("b", 2.5), ("c", double.NaN)));
        Assert.Equal("""{"t":{"columns":["name","load"],"rows":[[3,"c",null],[2,"b",2.5]]}}""", Written(table.WriteAll).Replace("""[2,"b",2.5],[3,"c",null]""", """[3,"c",null],[2,"b",2.5]""", StringComparison.Ordinal));
    }

    [Fact]
    public void WriteChanges_ARowThatComesBack_GetsAnotherNumber()
    {
        var table = new LiveTable("t", "name", "load");
        Round(table, ("a", 1));
        Assert.Equal("""{"t":{"remove":[1]}}""", Round(table));
        Assert.Equal("""{"t":{"add":[[2,"a",1]]}}""", Round(table, ("a", 1)));
    }

    [Fact]
    public void Put_TheSameKeyTwiceInARound_KeepsTheFirst()
    {
        var table = new LiveTable("t", "name", "load");
        Assert.Equal("""{"t":{"add":[[1,"a",1]]}}""", Round(table, ("a", 1), ("a", 2)));
    }

    [Fact]
    public void Put_WhatRoundingTakesAway_IsNoChange()
    {
        var table = new LiveTable("t", "name", "load");
        Round(table, ("a", 1.041));
        Assert.Equal("{}", Round(table, ("a", 1.044)));
    }

    private static string Round(LiveTable table, params (string Name, double Load)[] rows)
    {
        table.Begin();
        foreach (var (name, load) in rows)
        {
            table.Next[0] = Cell.Of(name);
            table.Next[1] = Cell.Of(load, 2);
            table.Put(name);
        }

        table.End();
        return Written(table.WriteChanges);
    }

    private static string Written(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
